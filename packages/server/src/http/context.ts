import type { Clock, Logger } from '@orrery/aip'
import type { WorkflowLibrary } from '../agents/workflow/workflow-library.js'
import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import type { DeviceFiles } from '../files/device-files.js'
import type { Keys } from '../keys.js'
import type { Asks } from '../sessions/asks.js'
import type { DeviceDirectory } from '../sessions/device-directory.js'
import type { EventHub } from '../sessions/event-hub.js'
import type { SessionArchive } from '../sessions/session-archive.js'
import type { SessionManager } from '../sessions/session-manager.js'

/** What the routes work on. */
export interface HttpContext {
  keys: Keys
  clients: ClientConnectionManager
  devices: DeviceDirectory
  files: DeviceFiles
  sessions: SessionManager
  archive: SessionArchive
  asks: Asks
  hub: EventHub
  workflows: WorkflowLibrary
  clock: Clock
  logger: Logger
}
