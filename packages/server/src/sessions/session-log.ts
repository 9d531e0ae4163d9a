import { isoTime, type Clock } from '@orrery/aip'
import type { Session as SessionView } from '@orrery/aip/api'
import type { Progress, RecordData, RecordType } from '@orrery/aip/records'
import { serverError } from '../errors.js'
import type { Feed } from '../store/feed.js'
import type { Lane, SessionStore } from '../store/session-store.js'
import { applyRecord, newView, toEvent, viewOf, type Happening, type SessionRecord } from '../store/session-view.js'

/** What a {@link SessionLog} writes to. */
export interface SessionLogOptions {
  store: SessionStore
  /** Null for a session that is not listed: nothing is heard of it. */
  feed: Feed | null
  /** The lane of the session's device. */
  lane: Lane
  clock: Clock
  sessionId: string
  /** What is recorded already, for a session that is continued after a restart. */
  past?: readonly SessionRecord[] | undefined
}

/** What one session records, what it looks like, and what is heard of it. Handed down to everything that is part of the session. */
export class SessionLog {
  readonly runId: string
  readonly sessionId: string
  readonly #store: SessionStore
  readonly #feed: Feed | null
  readonly #lane: Lane
  readonly #clock: Clock
  #view: SessionView | null
  #closed = false

  constructor({ store, feed, lane, clock, sessionId, past = [] }: SessionLogOptions) {
    this.runId = past[0]?.runId ?? crypto.randomUUID()
    this.sessionId = sessionId
    this.#store = store
    this.#feed = feed
    this.#lane = lane
    this.#clock = clock
    this.#view = viewOf(past) ?? null
  }

  /** The session as the API shows it, large values in place. @throws if nothing is recorded yet */
  get view(): SessionView {
    if (this.#view === null) throw new Error(`session ${this.sessionId} is not recorded`)
    return this.#view
  }

  /** Whether the end of the session is recorded, or about to be: nothing else is recorded from then on. */
  get closed(): boolean {
    return this.#closed
  }

  /**
   * Records what happened; settles once it is committed.
   * @throws AipError `STORE_FAILED`, `STALE_OWNER`, or `SESSION_ENDED` once {@link closed}; nothing was recorded then
   */
  async record<T extends RecordType>(type: T, data: RecordData[T]): Promise<void> {
    if (this.#closed && type !== 'ended') throw serverError('SESSION_ENDED', { id: this.sessionId })
    if (type === 'ended') this.#closed = true
    const stored = await this.#store.append(this.#lane, this.runId, type, data)
    // The stored data may hold references to large values; the session itself continues with the values.
    const record = { type, time: stored.time, data } as Happening
    if (this.#view !== null) applyRecord(this.#view, record)
    else if (record.type === 'accepted') this.#view = newView(this.runId, record.data, record.time)
    this.#feed?.emit(this.runId, toEvent(stored, this.sessionId))
  }

  /** An agent has taken the session up; that is not recorded. */
  began(agent: string): void {
    const { view } = this
    Object.assign(view, { agent, status: 'running' })
    view.started_at ??= isoTime(this.#clock.now())
    this.#feed?.changed({ kind: 'session', runId: this.runId })
  }

  /** Tells those who watch how far something is; that is not recorded. */
  report(progress: Progress): void {
    const time = isoTime(this.#clock.now())
    this.#feed?.emit(this.runId, { seq: null, session_id: this.sessionId, time, type: 'progress', data: progress })
  }
}
