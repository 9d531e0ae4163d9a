import { messageOf } from '@orrery/aip'
import { Owner, type Work } from '@orrery/aip/records'
import type { DeviceLane } from './device-lane.js'
import type { Lanes } from './lanes.js'
import type { LiveSessions } from './live-sessions.js'
import type { Session } from './session.js'
import type { Task, WantedTask } from './task.js'
import type { Lane, SessionStore } from '../store/session-store.js'
import { serverError } from '../errors.js'

/** An accepted task. `repeated` if the same request of the same owner is already live and must not be started again. */
export interface Taken {
  session: Session
  repeated: boolean
}

/** Accepts tasks: each is recorded once, as a whole, before it is acknowledged. */
export class Intake {
  readonly #store: SessionStore
  readonly #live: LiveSessions
  readonly #lanes: Lanes
  readonly #newSession: (task: Task, lane: Lane) => Session
  /** Tasks that are being taken, by session id: one of the same id waits, and is then seen to be the same or not. */
  readonly #taking = new Map<string, Promise<Taken>>()
  #closed = false

  constructor(store: SessionStore, live: LiveSessions, lanes: Lanes, newSession: (task: Task, lane: Lane) => Session) {
    this.#store = store
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
   * Records a task. Its place in the queue is reserved before its work is read, so that a flood of tasks opens no files.
   * @throws AipError `SERVER_STOPPING`, `SESSION_OWNED`, `SESSION_RUNNING`, `QUEUE_FULL` or `STORE_FAILED`, and what is wrong with its work
   */
  async take(wanted: WantedTask): Promise<Taken> {
    const { sessionId } = wanted
    for (let first = this.#taking.get(sessionId); first !== undefined; first = this.#taking.get(sessionId)) {
      await first.catch(() => {})
    }
    const taking = this.#take(wanted)
    this.#taking.set(sessionId, taking)
    try {
      return await taking
    } finally {
      this.#taking.delete(sessionId)
    }
  }

  async #take(wanted: WantedTask): Promise<Taken> {
    this.#assertOpen()
    const lane = await this.#lanes.enter(wanted.deviceId)
    try {
      this.#assertOpen()
      const live = this.#live.get(wanted.sessionId)
      if (live !== undefined) return { session: repetition(live, wanted), repeated: true }
      if (await this.#isTaken(wanted)) throw serverError('SESSION_OWNED', { id: wanted.sessionId })
      const work = await this.#read(wanted, lane)
      this.#assertOpen()
      const session = this.#newSession({ ...wanted, work }, lane.lane)
      lane.admit(session)
      this.#live.add(session)
      await session.accept().catch((error: unknown) => {
        this.#live.end(session, { status: 'failed', result: null, error: messageOf(error) })
        lane.dismiss(session)
        throw error
      })
      return { session, repeated: false }
    } finally {
      lane.leave()
    }
  }

  /**
   * Returns whether a session id is another's, though no live session has it: no peer gets a run id, under which an operator looks for a session, and no
   * device gets the session id of a task that another client asked for.
   */
  async #isTaken({ sessionId, owner }: WantedTask): Promise<boolean> {
    if (owner.kind === 'operator') return false
    if (this.#live.ofRun(sessionId) !== undefined || (await this.#store.find({ runId: sessionId, limit: 1 })).length > 0)
      return true
    if (owner.kind !== 'device') return false
    const [runId] = await this.#store.find({ sessionId, limit: 1 })
    const [accepted] = runId === undefined ? [] : await this.#store.records(runId)
    return accepted !== undefined && Owner.safeParse(accepted.data['owner']).data?.kind !== 'device'
  }

  /** Reads the work of a task, with a place in the queue reserved for it. */
  async #read({ work }: WantedTask, lane: DeviceLane): Promise<Work> {
    const giveUp = lane.reserve()
    try {
      return typeof work === 'function' ? await work() : work
    } finally {
      giveUp()
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw serverError('SERVER_STOPPING')
  }
}

/** Returns the live session of a repeated task. @throws AipError if it is another task with the same session id */
function repetition(live: Session, task: WantedTask): Session {
  const { sessionId, owner, requestId } = live.task
  if (!isSame(owner, task.owner)) throw serverError('SESSION_OWNED', { id: sessionId })
  if (requestId === null || requestId !== task.requestId) throw serverError('SESSION_RUNNING', { id: sessionId })
  return live
}

function isSame(a: Owner, b: Owner): boolean {
  return a.kind === b.kind && a.client_id === b.client_id
}
