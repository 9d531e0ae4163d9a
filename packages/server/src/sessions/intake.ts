import { messageOf } from '@orrery/aip'
import type { Owner } from '@orrery/aip/records'
import type { Lanes } from './lanes.js'
import type { LiveSessions } from './live-sessions.js'
import type { Session } from './session.js'
import type { Task } from './task.js'
import type { Lane } from '../store/session-store.js'
import { serverError } from '../errors.js'

/** An accepted task. `repeated` if the same request of the same owner is already live and must not be started again. */
export interface Taken {
  session: Session
  repeated: boolean
}

/** Accepts tasks: each is recorded once, as a whole, before it is acknowledged. */
export class Intake {
  readonly #live: LiveSessions
  readonly #lanes: Lanes
  readonly #newSession: (task: Task, lane: Lane) => Session
  /** Tasks that are being recorded. */
  readonly #accepting = new Map<Session, Promise<void>>()
  #closed = false

  constructor(live: LiveSessions, lanes: Lanes, newSession: (task: Task, lane: Lane) => Session) {
    this.#live = live
    this.#lanes = lanes
    this.#newSession = newSession
  }

  /** Stops accepting tasks. */
  close(): void {
    this.#closed = true
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Records a task.
   * @throws AipError `SERVER_STOPPING`, `SESSION_OWNED`, `SESSION_RUNNING`, `QUEUE_FULL` or `STORE_FAILED`
   */
  async take(task: Task): Promise<Taken> {
    this.#assertOpen()
    const lane = await this.#lanes.enter(task.deviceId)
    try {
      this.#assertOpen()
      const live = this.#live.get(task.sessionId)
      if (live !== undefined) {
        const session = repetition(live, task)
        await this.#accepting.get(session)
        return { session, repeated: true }
      }
      lane.checkRoom()
      const session = this.#newSession(task, lane.lane)
      lane.admit(session)
      this.#live.add(session)
      await this.#accept(session).catch((error: unknown) => {
        this.#live.end(session, { status: 'failed', result: null, error: messageOf(error) })
        lane.dismiss(session)
        throw error
      })
      return { session, repeated: false }
    } finally {
      lane.leave()
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw serverError('SERVER_STOPPING')
  }

  async #accept(session: Session): Promise<void> {
    const accepting = session.accept()
    this.#accepting.set(session, accepting)
    try {
      await accepting
    } finally {
      this.#accepting.delete(session)
    }
  }
}

/** Returns the live session of a repeated task. @throws AipError if it is another task with the same session id */
function repetition(live: Session, task: Task): Session {
  const { sessionId, owner, requestId } = live.task
  if (!isSame(owner, task.owner)) throw serverError('SESSION_OWNED', { id: sessionId })
  if (requestId === null || requestId !== task.requestId) throw serverError('SESSION_RUNNING', { id: sessionId })
  return live
}

function isSame(a: Owner, b: Owner): boolean {
  return a.kind === b.kind && a.client_id === b.client_id
}
