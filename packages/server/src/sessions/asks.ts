import { LIMITS, messageOf, type ClientMessage, type Clock, type Logger, type Timer } from '@orrery/aip'
import type { Ask, AskAnswer } from '@orrery/aip/api'
import type { Peers } from './peers.js'
import type { Feed } from '../store/feed.js'
import type { LiveSessions } from './live-sessions.js'
import { SERVER_LIMITS } from '../limits.js'
import { serverError } from '../errors.js'

type AskMessage = Extract<ClientMessage, { type: 'ask' }>

/** Calls that wait on their devices for an operator's approval. */
export class Asks {
  readonly #live: LiveSessions
  readonly #feed: Feed
  readonly #peers: Peers
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #pending = new Map<string, { ask: Ask; timer: Timer }>()
  /** How often each live session has asked. */
  readonly #asked = new Map<string, number>()

  constructor(options: { live: LiveSessions; peers: Peers; feed: Feed; clock: Clock; logger: Logger }) {
    this.#live = options.live
    this.#feed = options.feed
    this.#peers = options.peers
    this.#clock = options.clock
    this.#logger = options.logger
    // A call that has a result was decided at the device.
    options.feed.onEvent(({ session_id: sessionId, type }) => {
      if (type === 'ended') this.#asked.delete(sessionId)
      if (this.#pending.size === 0 || (type !== 'results_received' && type !== 'ended')) return
      for (const { ask } of this.#pending.values()) if (ask.session_id === sessionId) this.#forget(ask.ask_id)
    })
  }

  /** Lists the open asks, oldest first. */
  list(): Ask[] {
    return [...this.#pending.values()].map(({ ask }) => ask)
  }

  get(askId: string): Ask | undefined {
    return this.#pending.get(askId)?.ask
  }

  /** Takes an ask of a device, about a session that runs on it. The same ask again, after a lost connection, changes nothing. */
  async asked(deviceId: string, message: AskMessage): Promise<void> {
    const session = message.session_id === null ? undefined : this.#live.get(message.session_id)
    if (session?.task.deviceId !== deviceId || this.#pending.has(message.ask_id)) return
    await session.dispatcher.secrets.ready()
    const { ask_id, call_id, tool, arguments_hash, digest, expires_at } = message
    const summary = session.dispatcher.secrets.masked(message.summary)
    if (this.#isTooMuch(session.task.sessionId, deviceId)) return
    if (summary.length > LIMITS.askedCall) {
      this.#logger.warn(`An ask of '${deviceId}' is too long to be shown whole, and is left out`)
      return
    }
    const ask = {
      ask_id,
      device_id: deviceId,
      session_id: session.task.sessionId,
      call_id,
      tool,
      arguments_hash,
      summary,
      ...(digest === null ? {} : { digest }),
      expires_at,
    }
    const left = Math.max(0, Date.parse(expires_at) - this.#clock.now())
    const timer = this.#clock.after(Number.isFinite(left) ? Math.min(left, SERVER_LIMITS.approval) : 0, () =>
      this.#forget(ask_id),
    )
    this.#pending.set(ask_id, { ask, timer })
    this.#feed.changed({ kind: 'ask', askId: ask_id })
    await session.log.record('approval', { ...ask })
  }

  /** Counts an ask. @returns whether its session asks for too much; that is logged once */
  #isTooMuch(sessionId: string, deviceId: string): boolean {
    const asked = (this.#asked.get(sessionId) ?? 0) + 1
    this.#asked.set(sessionId, asked)
    if (asked <= SERVER_LIMITS.sessionAsks) return false
    if (asked === SERVER_LIMITS.sessionAsks + 1)
      this.#logger.warn(
        `'${deviceId}' asks for more than ${SERVER_LIMITS.sessionAsks} approvals in one session; the rest is left out`,
      )
    return true
  }

  /**
   * Answers an ask.
   * @param by who answers, as the device's audit names them
   * @param answer the decision, and the digest of what was shown, where the approver has one
   * @throws AipError `ASK_NOT_FOUND`, `ASK_DIFFERS` if something else was shown, `DEVICE_OFFLINE` if the device cannot be reached
   */
  async answer(askId: string, { decision, digest }: AskAnswer, by: string): Promise<Ask> {
    const ask = this.#pending.get(askId)?.ask
    if (ask === undefined) throw serverError('ASK_NOT_FOUND', { id: askId })
    if (digest !== undefined && digest !== ask.digest) throw serverError('ASK_DIFFERS', { id: askId })
    const device = this.#peers.device(ask.device_id)
    if (device === undefined) throw serverError('DEVICE_OFFLINE', { id: ask.device_id })
    await device.sendAnswer({ askId, sessionId: ask.session_id, decision, by, digest: ask.digest ?? null })
    this.#forget(askId)
    await this.#live
      .get(ask.session_id)
      ?.log.record('approval', { ask_id: askId, decision, by })
      .catch((error: unknown) => this.#logger.error(messageOf(error)))
    return ask
  }

  #forget(askId: string): void {
    this.#pending.get(askId)?.timer.cancel()
    if (this.#pending.delete(askId)) this.#feed.changed({ kind: 'ask', askId })
  }
}
