import type { FleetAsks } from './asks.js'
import type { FleetDevices } from './devices.js'
import type { FleetEvents } from './events.js'
import type { FleetFiles } from './files.js'
import type { FleetServer } from './server-state.js'
import type { FleetSessions } from './sessions.js'
import type { FleetTasks } from './tasks.js'
import type { FleetTerminals } from './terminals.js'

/**
 * The waist of the server: every use case, once. HTTP and the sockets only translate to it. Each method takes the
 * principal first and checks its right.
 */
export interface Fleet {
  readonly devices: FleetDevices
  readonly tasks: FleetTasks
  readonly sessions: FleetSessions
  readonly files: FleetFiles
  readonly terminals: FleetTerminals
  readonly asks: FleetAsks
  readonly events: FleetEvents
  readonly server: FleetServer
}
