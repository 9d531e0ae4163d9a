import type { WorkflowLibrary } from '../agents/workflow/workflow-library.js'
import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import type { KnownDevices } from '../clients/known-devices.js'
import type { ResumeTokens } from '../clients/resume-tokens.js'
import type { DeviceFiles } from '../files/device-files.js'
import type { Asks } from '../sessions/asks.js'
import type { DeviceToolLists } from '../sessions/device-tool-lists.js'
import type { ModelAllowance } from '../sessions/model-allowance.js'
import type { SessionManager } from '../sessions/session-manager.js'
import type { Feed } from '../store/feed.js'
import type { DeviceTerminals } from '../terminals/device-terminals.js'
import { Waits } from '../sessions/waits.js'
import type { SessionStore } from '../store/session-store.js'
import { FleetAsks } from './asks.js'
import { FleetDevices } from './devices.js'
import { FleetEvents } from './events.js'
import { FleetFiles } from './files.js'
import type { Fleet } from './fleet.js'
import { FleetServer } from './server-state.js'
import { FleetSessions } from './sessions.js'
import { FleetTasks } from './tasks.js'
import { FleetTerminals } from './terminals.js'

/** What the use cases work on. */
export interface FleetParts {
  clients: ClientConnectionManager
  known: KnownDevices
  tokens: ResumeTokens
  toolLists: DeviceToolLists
  sessions: SessionManager
  store: SessionStore
  feed: Feed
  asks: Asks
  files: DeviceFiles
  terminals: DeviceTerminals
  workflows: WorkflowLibrary
  allowance: ModelAllowance
  /** Path of the npm package for devices. Default: there is none. */
  devicePackage?: string | undefined
}

/** Puts the use cases together. */
export function createFleet(parts: FleetParts): Fleet {
  const { clients, sessions, feed } = parts
  const { live, lanes, environment } = sessions
  const waits = new Waits({ feed, live, lanes, clock: environment.clock })
  const devices = new FleetDevices(parts)
  const asks = new FleetAsks(parts.asks, feed)
  const sessionUses = new FleetSessions({ ...parts, waits })
  return {
    devices,
    tasks: new FleetTasks({ ...parts, devices, waits }),
    sessions: sessionUses,
    files: new FleetFiles(parts.files, devices),
    terminals: new FleetTerminals(parts.terminals, devices),
    asks,
    events: new FleetEvents({ feed, devices, sessions: sessionUses, asks }),
    server: new FleetServer(clients, sessions, parts.devicePackage),
  }
}
