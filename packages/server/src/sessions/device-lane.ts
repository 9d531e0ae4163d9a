import { LIMITS } from '@orrery/aip'
import type { Lane } from '../store/session-store.js'
import type { Session } from './session.js'
import { serverError } from '../errors.js'

/** Runs a session to its end, and settles when it has ended. Never rejects. */
export type Run = (session: Session) => Promise<unknown>

/** What a lane reports to its owner. */
export interface LaneEvents {
  /** Another session runs now, or none. */
  changed: () => void
  /** Nothing is left in the lane. */
  empty: () => void
}

/**
 * What one server process owns of a device: its queue, its presence and what runs there. One session runs at a time, the others wait in
 * order; those that only read run beside it.
 */
export class DeviceLane {
  readonly deviceId: string
  readonly #run: Run
  readonly #events: LaneEvents
  readonly #waiting = new Set<Session>()
  readonly #beside = new Set<Session>()
  /** All that have not ended, in the order in which they were admitted. */
  readonly #sessions = new Set<Session>()
  /** Those who record something else in the lane now. */
  #visitors = 0
  #held = false
  /** The right to append to the sessions of the device. */
  readonly lane: Lane
  running: Session | null = null

  constructor(lane: Lane, run: Run, events: LaneEvents) {
    this.lane = lane
    this.deviceId = lane.name
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

  /** @throws AipError `QUEUE_FULL` if as many sessions wait as may */
  checkRoom(): void {
    if (this.#sessions.size - this.atWork.length >= LIMITS.waitingSessions) {
      throw serverError('QUEUE_FULL', { id: this.deviceId, limit: LIMITS.waitingSessions })
    }
  }

  /** Takes a session, recorded or about to be; it belongs to the lane until {@link dismiss}. */
  admit(session: Session): void {
    this.#sessions.add(session)
  }

  /** A session has ended, and that is recorded. */
  dismiss(session: Session): void {
    this.#sessions.delete(session)
    this.#advance()
    this.#close()
  }

  /** Lets a session run when its turn comes; one that only reads at once, beside what runs. */
  add(session: Session): void {
    if (session.concurrent && !this.#held && this.#beside.size < LIMITS.concurrentSessions) {
      this.#beside.add(session)
      void this.#run(session).then(() => this.#beside.delete(session))
      return
    }
    this.#waiting.add(session)
    this.#advance()
  }

  /** Takes a waiting session out. @returns whether it was waiting */
  remove(session: Session): boolean {
    return this.#waiting.delete(session)
  }

  /** From now on, until {@link letGo}, no session begins: the device is away, or the server is stopping. */
  hold(): void {
    this.#held = true
  }

  letGo(): void {
    this.#held = false
    this.#advance()
  }

  /** What runs on the device now. */
  get atWork(): Session[] {
    return this.running === null ? [...this.#beside] : [this.running, ...this.#beside]
  }

  /** The session that continues when the device is back: the one that runs, else the one that is next. */
  get continuing(): Session | null {
    return this.running ?? this.#next ?? null
  }

  /** The session whose turn is next: the first that was admitted, once it may run. */
  get #next(): Session | undefined {
    for (const session of this.#sessions) {
      if (this.#waiting.has(session)) return session
      // One that is recorded and about to run keeps its place; one that was cancelled is on its way out.
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
