import { LIMITS } from '@orrery/aip'
import type { Lane } from '../store/session-store.js'
import type { Session } from './session.js'
import { serverError } from '../errors.js'

/** Runs a session, and settles when it has ended. Never rejects. */
export type Run = (session: Session) => Promise<unknown>

/** What a lane reports to its owner. */
export interface LaneEvents {
  /** Called when another session runs, or none. */
  changed: () => void
  /** Called when the lane is empty. */
  empty: () => void
}

/**
 * What one server process owns of a device: its queue, its presence and its running session. One session runs at a time, the others wait in
 * order; those that only read run alongside.
 */
export class DeviceLane {
  readonly #run: Run
  readonly #events: LaneEvents
  readonly #waiting = new Set<Session>()
  readonly #beside = new Set<Session>()
  /** All sessions that have not ended, in the order in which they were admitted. */
  readonly #sessions = new Set<Session>()
  /** Places of sessions that are about to be made. */
  #reserved = 0
  /** Callers that record something else in the lane now. */
  #visitors = 0
  #held = false
  /** The right to append to the sessions of the device. */
  readonly lane: Lane
  running: Session | null = null

  constructor(lane: Lane, run: Run, events: LaneEvents) {
    this.lane = lane
    this.#run = run
    this.#events = events
  }

  /** Keeps the lane for a caller that is about to record something, until {@link leave}. */
  enter(): void {
    this.#visitors += 1
  }

  leave(): void {
    this.#visitors -= 1
    this.#close()
  }

  /**
   * Reserves a place in the queue for a session that is about to be made.
   * @returns gives the place up; to be called before the session is admitted
   * @throws AipError `QUEUE_FULL` if the maximum number of sessions wait
   */
  reserve(): () => void {
    if (this.#sessions.size + this.#reserved - this.atWork.length >= LIMITS.waitingSessions) {
      throw serverError('QUEUE_FULL', { id: this.lane.name, limit: LIMITS.waitingSessions })
    }
    this.#reserved += 1
    return () => {
      this.#reserved -= 1
    }
  }

  /** Admits a session, recorded or about to be; it belongs to the lane until {@link dismiss}. */
  admit(session: Session): void {
    this.#sessions.add(session)
  }

  /** Removes a session whose end is recorded. */
  dismiss(session: Session): void {
    this.#sessions.delete(session)
    this.#advance()
    this.#close()
  }

  /** Runs a session when its turn comes; one that only reads runs at once, alongside. */
  add(session: Session): void {
    if (session.concurrent && !this.#held && this.#beside.size < LIMITS.concurrentSessions) {
      this.#beside.add(session)
      void this.#run(session).then(() => this.#beside.delete(session))
      return
    }
    this.#waiting.add(session)
    this.#advance()
  }

  /**
   * Returns where a session of the lane is: `recorded` until {@link add}, then `waiting` in line, `held` there, or `running`. One that is `idle` could
   * run, and nothing will start it.
   */
  placeOf(session: Session): 'recorded' | 'waiting' | 'held' | 'idle' | 'running' {
    if (this.atWork.includes(session)) return 'running'
    if (!this.#waiting.has(session)) return 'recorded'
    if (this.#held) return 'held'
    return this.running === null ? 'idle' : 'waiting'
  }

  /** Removes a waiting session. @returns whether it was waiting */
  remove(session: Session): boolean {
    return this.#waiting.delete(session)
  }

  /** Starts no further session until {@link letGo}: the device is away, or the server is stopping. */
  hold(): void {
    this.#held = true
  }

  letGo(): void {
    this.#held = false
    this.#advance()
  }

  /** All sessions that have not ended, in the order in which they were admitted. */
  get sessions(): Iterable<Session> {
    return this.#sessions
  }

  /** The sessions that run on the device now. */
  get atWork(): Session[] {
    return this.running === null ? [...this.#beside] : [this.running, ...this.#beside]
  }

  /** The session that continues when the device returns: the running one, else the next one. */
  get continuing(): Session | null {
    return this.running ?? this.#next ?? null
  }

  /** The session whose turn is next: the first that was admitted, once it may run. */
  get #next(): Session | undefined {
    for (const session of this.#sessions) {
      if (this.#waiting.has(session)) return session
      // One that is recorded and about to run keeps its place; a cancelled one is about to leave.
      if (session !== this.running && !this.#beside.has(session) && session.cancelled === null) return undefined
    }
    return undefined
  }

  #advance(): void {
    const next = this.#held || this.running !== null ? undefined : this.#next
    if (next === undefined) return
    this.#waiting.delete(next)
    this.running = next
    this.#events.changed()
    void this.#run(next).then(() => {
      this.running = null
      this.#events.changed()
      this.#advance()
    })
  }

  #close(): void {
    if (this.#sessions.size + this.#visitors === 0) this.#events.empty()
  }
}
