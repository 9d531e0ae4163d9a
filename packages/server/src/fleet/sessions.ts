import { hasEnded, type Session as SessionView, type SessionEvent, type SessionStatus } from '@orrery/aip/api'
import { requireRight, type Principal } from '../identity/principal.js'
import type { SessionManager } from '../sessions/session-manager.js'
import type { EventListener, Feed } from '../store/feed.js'
import type { Waits } from '../sessions/waits.js'
import type { SessionStore } from '../store/session-store.js'
import { readRecord, toEvent, viewOf } from '../store/session-view.js'
import { serverError } from '../errors.js'

/** What {@link FleetSessions} work on. */
export interface FleetSessionsParts {
  store: SessionStore
  sessions: SessionManager
  waits: Waits
  feed: Feed
}

/** Which sessions to list. */
export interface SessionListFilter {
  deviceId?: string | undefined
  status?: SessionStatus | undefined
  /** A run id: only older ones. */
  before?: string | undefined
  limit: number
}

/** Live and ended sessions. An id is a run id, or a session id, which stands for its newest run. */
export class FleetSessions {
  readonly #store: SessionStore
  readonly #sessions: SessionManager
  readonly #waits: Waits
  readonly #feed: Feed

  constructor({ store, sessions, waits, feed }: FleetSessionsParts) {
    this.#store = store
    this.#sessions = sessions
    this.#waits = waits
    this.#feed = feed
  }

  /** Lists sessions, newest first, without their results; `position` is that of the feed before they were read. */
  async list(principal: Principal, filter: SessionListFilter): Promise<{ sessions: SessionView[]; position: string }> {
    requireRight(principal, 'read')
    const position = this.#feed.position()
    const { status, limit, ...rest } = filter
    if (status === undefined || hasEnded(status)) {
      return { sessions: (await this.#store.summaries(filter)).map((view) => this.#now(view)), position }
    }
    const open = (await this.#store.summaries({ ...rest, open: true })).map((view) => this.#now(view))
    return { sessions: open.filter((view) => view.status === status).slice(0, limit), position }
  }

  /** Returns one session as lists show it; undefined if it is not known. */
  async find(principal: Principal, id: string): Promise<SessionView | undefined> {
    requireRight(principal, 'read')
    const [newest] = await this.#store.summaries({ sessionId: id, limit: 1 })
    const [view] = newest === undefined ? await this.#store.summaries({ runId: id }) : [newest]
    return view && this.#now(view)
  }

  /** Returns one session with its whole result. @throws AipError `SESSION_NOT_FOUND` */
  async get(principal: Principal, id: string): Promise<SessionView> {
    const { run_id: runId } = await this.#require(principal, id)
    const live = this.#sessions.live.ofRun(runId)
    if (live !== undefined) return this.#waits.viewOf(live)
    const view = viewOf((await this.#store.wholeRecords(runId)).map(readRecord))
    if (view === undefined) throw serverError('SESSION_NOT_FOUND', { id })
    return view
  }

  /**
   * Returns the recorded events of a session after a sequence number, in order.
   * @returns `next`, if there are more, is where to continue reading
   * @throws AipError `SESSION_NOT_FOUND`
   */
  async log(
    principal: Principal,
    id: string,
    afterSeq: number,
    limit = Infinity,
  ): Promise<{ events: SessionEvent[]; next?: number | undefined }> {
    const { run_id: runId, session_id: sessionId } = await this.#require(principal, id)
    const records = await this.#store.records(runId, afterSeq)
    const events = records.slice(0, limit).map((record) => toEvent(record, sessionId))
    return { events, ...(records.length > events.length ? { next: records[events.length - 1]?.seq } : {}) }
  }

  /** Returns a value that events of a session refer to. @throws AipError `SESSION_NOT_FOUND` or `VALUE_NOT_FOUND` */
  async value(principal: Principal, id: string, valueId: string): Promise<unknown> {
    const { run_id: runId } = await this.#require(principal, id)
    const value = await this.#store.value(runId, valueId)
    if (value === undefined) throw serverError('VALUE_NOT_FOUND', { id, value: valueId })
    return value
  }

  /** Listens to what happens in a run from now on. @returns stops listening */
  follow(principal: Principal, runId: string, listener: EventListener): () => void {
    requireRight(principal, 'read')
    return this.#feed.onEvent(listener, runId)
  }

  /** Returns what a session waits for, as the event that reports it; undefined if it does not wait. */
  waiting(principal: Principal, runId: string): SessionEvent | undefined {
    requireRight(principal, 'read')
    const live = this.#sessions.live.ofRun(runId)
    return live && this.#waits.eventOf(live)
  }

  /** Cancels a session; one that has ended stays as it is. @throws AipError `SESSION_NOT_FOUND` */
  async cancel(principal: Principal, id: string): Promise<SessionView> {
    requireRight(principal, 'run')
    const view = await this.get(principal, id)
    if (this.#sessions.live.ofRun(view.run_id) !== undefined) this.#sessions.cancelTask(view.session_id, 'user_requested')
    return view
  }

  /** Answers the open question of a session. @throws AipError `SESSION_NOT_FOUND`, `SESSION_ENDED` or `NO_QUESTION` */
  async answer(principal: Principal, id: string, text: string, questionId?: string): Promise<SessionView> {
    requireRight(principal, 'run')
    const { session_id: sessionId, run_id: runId } = await this.#require(principal, id)
    const session = this.#sessions.live.ofRun(runId)
    if (session === undefined) throw serverError('SESSION_ENDED', { id: sessionId })
    await session.questions.answer(text, principal.name, questionId)
    return this.get(principal, id)
  }

  /** Adds to the request of a running session. @throws AipError `SESSION_NOT_FOUND`, `SESSION_ENDED` or `SESSION_NOT_LISTENING` */
  async remark(principal: Principal, id: string, text: string): Promise<SessionView> {
    requireRight(principal, 'run')
    const { session_id: sessionId } = await this.#require(principal, id)
    await this.#sessions.remark(sessionId, text, principal.name)
    return this.get(principal, id)
  }

  /** @throws AipError `SESSION_NOT_FOUND` */
  async #require(principal: Principal, id: string): Promise<SessionView> {
    const view = await this.find(principal, id)
    if (view === undefined) throw serverError('SESSION_NOT_FOUND', { id })
    return view
  }

  /** Adds the live state to a listed session: not all of it is recorded. */
  #now(view: SessionView): SessionView {
    const live = this.#sessions.live.ofRun(view.run_id)
    // Summaries of earlier versions do not have it.
    if (live === undefined) return { ...view, waits_for: null }
    const { agent, status, started_at, waits_for } = this.#waits.viewOf(live)
    return { ...view, agent, status, started_at, waits_for }
  }
}
