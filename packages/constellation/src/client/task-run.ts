import { errorText, type ServerMessage } from '@orrery/aip'
import type { SessionEvent } from '@orrery/aip/api'
import { ConstellationError, type ConstellationErrorCode } from './constellation-error.js'

/** The outcome of a task. */
export interface TaskResult {
  deviceId: string
  taskId: string
  sessionId: string
  /** The agent's own value; for a device that answers several requests, the list of its answers. */
  result: unknown
}

/** What a {@link TaskRun} needs of its client. */
export interface RunPort {
  /** Ends the task where it runs. */
  cancel: (run: TaskRun) => Promise<void>
  /** The server's event stream; null if it has none. */
  events: (run: TaskRun, signal: AbortSignal | undefined) => AsyncIterable<SessionEvent> | null
}

/** `waiting` for the connection or its turn, `sent` to the server, `accepted` by it, or ended. */
export type RunStatus = 'waiting' | 'sent' | 'accepted' | 'completed' | 'failed'

const CANCELLED = 'the task was cancelled'

/** What a run is about. */
export interface RunIdentity {
  deviceId: string
  taskId: string
  sessionId: string
  request: string
  taskName: string
}

/** One task on one device. */
export class TaskRun {
  readonly deviceId: string
  readonly taskId: string
  /** The session's id on the wire and in the HTTP API. */
  readonly sessionId: string
  readonly taskName: string
  readonly request: string
  /** Distinguishes a repeated request from a new one. */
  readonly requestId: string = crypto.randomUUID()
  /** Settles when the server has recorded the task. Rejects as {@link result} does if that never happens. */
  readonly accepted: Promise<void>
  /** The outcome of the task. Rejects with a `ConstellationError` that names the device and the reason. */
  readonly result: Promise<TaskResult>
  readonly #port: RunPort
  readonly #accepted = Promise.withResolvers<void>()
  readonly #result = Promise.withResolvers<TaskResult>()
  readonly #settled = new AbortController()
  #status: RunStatus = 'waiting'
  #cancelled = false

  constructor(identity: RunIdentity, port: RunPort) {
    this.deviceId = identity.deviceId
    this.taskId = identity.taskId
    this.sessionId = identity.sessionId
    this.taskName = identity.taskName
    this.request = identity.request
    this.#port = port
    this.accepted = this.#accepted.promise
    this.result = this.#result.promise
    // A caller that awaits only one of the two must not get an unhandled rejection from the other.
    this.accepted.catch(() => {})
    this.result.catch(() => {})
  }

  /** The current state of the task. */
  get status(): RunStatus {
    return this.#status
  }

  /** Aborts when the run has ended. */
  get settled(): AbortSignal {
    return this.#settled.signal
  }

  /**
   * Streams the events of the session, from its beginning to `ended`. Servers without an event stream give only `accepted` and `ended`.
   * @throws as {@link accepted} does if the task is never accepted
   */
  async *events(signal?: AbortSignal): AsyncGenerator<SessionEvent, void> {
    await this.accepted
    const stream = this.#port.events(this, signal)
    if (stream !== null) return yield* stream
    yield this.#event('accepted', { device_id: this.deviceId, request: this.request, task_name: this.taskName })
    const outcome = await this.result.then(
      ({ result }) => ({ status: 'completed', result, error: null }),
      (error: ConstellationError) => ({ status: 'failed', result: error.result, error: error.reason }),
    )
    yield this.#event('ended', outcome)
  }

  /**
   * Ends the task where it runs; `result` then rejects with `CANCELLED`. Settles when the server has the request; does nothing once the task
   * has ended.
   * @throws {ApiClientError} if the server could not be reached; the task then continues
   */
  async cancel(): Promise<void> {
    if (this.#settled.signal.aborted) return
    this.#cancelled = true
    if (this.#status === 'waiting') return this.fail('CANCELLED', CANCELLED)
    // Whether the server has the task is known soon.
    await this.accepted.catch(() => {})
    if (!this.settled.aborted) await this.#port.cancel(this)
  }

  /** Notes that the task is on its way to the server (`sent`), or recorded there (`accepted`). */
  advance(status: 'sent' | 'accepted'): void {
    if (this.#status !== (status === 'sent' ? 'waiting' : 'sent')) return
    this.#status = status
    if (status === 'accepted') this.#accepted.resolve()
  }

  /** Ends the run with the outcome that the server reports. */
  finish({ status, result, error }: Pick<ServerMessage, 'status' | 'result' | 'error'>): void {
    this.advance('accepted')
    const value = unwrapped(result)
    if (status === 'completed') {
      const { deviceId, taskId, sessionId } = this
      this.#settle('completed')
      return this.#result.resolve({ deviceId, taskId, sessionId, result: value })
    }
    if (this.#cancelled) return this.fail('CANCELLED', CANCELLED, value)
    const dropped = error === errorText('DEVICE_DISCONNECTED')
    this.fail(dropped ? 'DEVICE_DISCONNECTED' : 'TASK_FAILED', error ?? 'the task failed without a reason', value)
  }

  /** Ends the run with an error of this client. */
  fail(code: ConstellationErrorCode, reason: string, result: unknown = null): void {
    if (this.#settled.signal.aborted) return
    const error = new ConstellationError(code, this.deviceId, reason, { result })
    this.#settle('failed')
    this.#accepted.reject(error)
    this.#result.reject(error)
  }

  #settle(status: 'completed' | 'failed'): void {
    this.#status = status
    this.#settled.abort()
  }

  #event(type: 'accepted' | 'ended', data: Record<string, unknown>): SessionEvent {
    return { seq: null, session_id: this.sessionId, time: new Date().toISOString(), type, data }
  }
}

/** Returns the value of a `task_end`: of a list with one `{request, result}`, that result (contradictions, C-15). */
function unwrapped(result: unknown): unknown {
  if (!Array.isArray(result)) return result ?? null
  if (result.length === 0) return null
  const [only] = result as unknown[]
  return result.length === 1 && typeof only === 'object' && only !== null && 'result' in only ? only.result : result
}
