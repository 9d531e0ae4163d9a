import type { Clock, Logger } from '@orrery/aip'
import type { ServerTrust } from '@orrery/aip/node'
import type { LinkState } from './server-link.js'
import type { TaskRun } from './task-run.js'

/** A device that gets tasks. */
export interface DeviceTarget {
  /** The id under which the device's client registers. */
  deviceId: string
  /** Address of its server: `ws://host:5000/ws`; `http://host:5000` works too. */
  server: string
  /** The operator key; a `?token=` in the address works too. */
  apiKey?: string | undefined
  /** Which certificate of the server counts, with `wss://`. Default: one that Node trusts. */
  trust?: ServerTrust | undefined
}

/** The state of a device's connection. */
export interface DeviceState {
  deviceId: string
  /** `idle`: no connection was requested. `connecting` includes the waits between attempts. `failed`: no further attempts are made. */
  status: LinkState
  /** Why there is no connection; null while there is one. */
  reason: string | null
}

/** Options of {@link ConstellationClient}. */
export interface ConstellationOptions {
  /** Names this orchestrator: its client ids are `name@device`, its session ids `name@task`. */
  name: string
  devices?: readonly DeviceTarget[]
  /**
   * `device`: one connection per device, registered for it, as existing constellation clients do. `server`: one for all devices
   * of a server, under the name alone, which takes fewer sockets. Default `device`.
   */
  connection?: 'device' | 'server'
  /** Seconds between heartbeats. Default 30. */
  heartbeatS?: number
  /** Milliseconds between attempts to connect. Default 5000. A server that resumes sessions is retried after 0.5 to 5 s. */
  reconnectDelayMs?: number
  /** Attempts in a row that may fail after the first. Default 5. A server that resumes sessions is retried forever once it was reached. */
  maxRetries?: number
  /**
   * Whether tasks survive a lost connection of this client where the server can do that. Without it they end with the connection, as with
   * existing servers. Default true.
   */
  resume?: boolean
  /** Sent with the registration, in `metadata`. */
  metadata?: Record<string, unknown>
  /** Called at each change of a device's connection. */
  onDeviceState?: (state: Readonly<DeviceState>) => void
  /**
   * Called when a task is paused because its device has dropped, and when it runs again. A task may be cancelled at once and given to
   * another device; otherwise it fails if the device does not return within the server's grace time.
   */
  onTaskState?: (run: TaskRun, state: 'paused' | 'running') => void
  logger?: Logger
  clock?: Clock
}

/** Options of {@link ConstellationClient.runTask}. */
export interface RunTaskOptions {
  /** Unique among running tasks. Default: a new UUID. */
  taskId?: string
  /** A human-readable label. Default: the name of this orchestrator and the task's id. */
  taskName?: string
  /** Milliseconds until the task is cancelled and fails with `TIMEOUT`. Default 1,000 s. */
  timeoutMs?: number
  /** Cancels the task. */
  signal?: AbortSignal
}
