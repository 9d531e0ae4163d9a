import { type CreateSession, type RouteQueryInput, type Session, type SessionEvent, hasEnded } from '@orrery/aip/api'
import type { ReconnectLimits } from './event-stream.js'
import { type CallOptions, type RouteCaller, requestOf } from './route-caller.js'
import { sessionStream } from './session-stream.js'

/** Which sessions to list. */
export type SessionFilter = RouteQueryInput<'sessions.list'>

/** Options of {@link SessionsApi.events}. */
export interface EventOptions {
  /** Only events after this sequence number. */
  afterSeq?: number
  /** Ends the stream; the iteration then throws the signal's reason. */
  signal?: AbortSignal
}

/** Events requested at once. */
const LOG_PAGE = 1000

/** The sessions of a server. */
export class SessionsApi {
  readonly #caller: RouteCaller
  readonly #reconnect: ReconnectLimits

  constructor(caller: RouteCaller, reconnect: ReconnectLimits) {
    this.#caller = caller
    this.#reconnect = reconnect
  }

  /** Starts a session from words, the text of a workflow file, or commands. */
  create(body: CreateSession, options?: CallOptions): Promise<Session> {
    return this.#caller.call('sessions.create', { body }, options)
  }

  /** Lists sessions, newest first, without their results. */
  async list(query: SessionFilter = {}, options?: CallOptions): Promise<Session[]> {
    return (await this.#caller.call('sessions.list', { query }, options)).sessions
  }

  /** Returns one session with its result. */
  get(id: string, options?: CallOptions): Promise<Session> {
    return this.#caller.call('sessions.get', { params: { id } }, options)
  }

  /**
   * Streams the events of a session, past ones first; ends after `ended`. A lost connection is restored and continues where it
   * was cut. Progress is not recorded: what is sent while the connection is lost does not come again.
   */
  events(id: string, options: EventOptions = {}): AsyncIterable<SessionEvent> {
    return sessionStream({
      target: this.#caller.target,
      request: requestOf('sessions.events', { params: { id } }),
      afterSeq: options.afterSeq,
      signal: options.signal,
      reconnect: this.#reconnect,
      reached: this.#caller.reached,
      hasEnded: async () => hasEnded((await this.get(id, options.signal && { signal: options.signal })).status),
    })
  }

  /**
   * Returns the events recorded so far, without waiting for more.
   * @param query.after only events after this sequence number
   */
  async log(id: string, query: { after?: number } = {}, options?: CallOptions): Promise<SessionEvent[]> {
    const events: SessionEvent[] = []
    let after = query.after
    do {
      const page = await this.#caller.call('sessions.log', { params: { id }, query: { after, limit: LOG_PAGE } }, options)
      events.push(...page.events)
      after = page.next
    } while (after !== undefined)
    return events
  }

  /** Returns a large value that events of a session refer to. @param value the id in its `$value` */
  value(id: string, value: string, options?: CallOptions): Promise<unknown> {
    return this.#caller.call('sessions.value', { params: { id, value } }, options)
  }

  /** Asks for a session to be cancelled; it has ended when its `ended` event says so. @returns the session as it was then */
  cancel(id: string, options?: CallOptions): Promise<Session> {
    return this.#caller.call('sessions.cancel', { params: { id } }, options)
  }

  /** Answers the question that a session asks. @param questionId default: the open question */
  answer(id: string, text: string, questionId?: string, options?: CallOptions): Promise<Session> {
    const body = { text, ...(questionId === undefined ? {} : { question_id: questionId }) }
    return this.#caller.call('sessions.answer', { params: { id }, body }, options)
  }

  /** Adds a remark to the request of a running session; its agent gets it before its next step. */
  remark(id: string, text: string, options?: CallOptions): Promise<Session> {
    return this.#caller.call('sessions.remark', { params: { id }, body: { text } }, options)
  }
}
