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
  feed: Feed
  /** The lane of the session's device. */
  lane: Lane
  clock: Clock
  sessionId: string
  /** Default: a new one. */
  runId?: string | undefined
  /** What is already recorded, for a session that is continued after a restart. */
  past?: readonly SessionRecord[] | undefined
}

/** The records, the view and the published events of one session. Handed down to every part of the session. */
export class SessionLog {
  readonly runId: string
  readonly sessionId: string
  readonly #store: SessionStore
  readonly #feed: Feed
  readonly #lane: Lane
  readonly #clock: Clock
  #view: SessionView | null
  #closed = false

  constructor({ store, feed, lane, clock, sessionId, runId, past = [] }: SessionLogOptions) {
    this.runId = past[0]?.runId ?? runId ?? crypto.randomUUID()
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

  /** Returns whether the end is recorded, or about to be: nothing else is recorded from then on. */
  get closed(): boolean {
    return this.#closed
  }

  /**
   * Records an event; settles once it is committed.
   * @throws AipError `STORE_FAILED`, `STALE_OWNER`, or `SESSION_ENDED` once {@link closed}; nothing is recorded then
   */
  async record<T extends RecordType>(type: T, data: RecordData[T]): Promise<void> {
    if (this.#closed && type !== 'ended') throw serverError('SESSION_ENDED', { id: this.sessionId })
    if (type === 'ended') this.#closed = true
    const stored = await this.#store.append(this.#lane, this.runId, type, data)
    // The stored data may contain references to large values; the session itself continues with the values.
    const record = { type, time: stored.time, data } as Happening
    if (this.#view !== null) applyRecord(this.#view, record)
    else if (record.type === 'accepted') this.#view = newView(this.runId, record.data, record.time)
    this.#feed.emit(this.runId, toEvent(stored, this.sessionId))
  }

  /** Notes which agent runs the session; that is not recorded. */
  began(agent: string): void {
    const { view } = this
    Object.assign(view, { agent, status: 'running' })
    view.started_at ??= isoTime(this.#clock.now())
    this.#feed.changed({ kind: 'session', runId: this.runId })
  }

  /** Reports progress to those who watch; it is not recorded. */
  report(progress: Progress): void {
    const time = isoTime(this.#clock.now())
    this.#feed.emit(this.runId, { seq: null, session_id: this.sessionId, time, type: 'progress', data: progress })
  }
}
