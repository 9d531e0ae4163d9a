import { messageOf, type Logger } from '@orrery/aip'
import type { ClientInfo } from '../clients/client-connection-manager.js'
import type { SessionManager } from '../sessions/session-manager.js'

/** The sessions that continue with a client, as the answer to its registration lists them: one of a device, or all of a constellation. */
export type Continuing = { session_id: string | null } | { session_ids: string[] }

/** Clients with the feature resume that drop and return: what waits for them, and which ends are still to be delivered. */
export class Resumption {
  readonly #sessions: SessionManager
  readonly #logger: Logger

  constructor(sessions: SessionManager, logger: Logger) {
    this.#sessions = sessions
    this.#logger = logger
  }

  /** Whether nothing can continue here: the server has released its sessions and is about to close. */
  get isOver(): boolean {
    return this.#sessions.state === 'drained'
  }

  /** Returns whether sessions of a constellation are live: its id is not free for another. */
  isAwaited(constellationId: string): boolean {
    return this.#sessions.live.ofConstellation(constellationId).length > 0
  }

  /** Returns what continues with a client that registers now. @throws AipError `STORE_FAILED` */
  async continuing({ clientId, clientType, endsSince }: ClientInfo): Promise<Continuing> {
    if (clientType === 'device') return { session_id: this.#sessions.lanes.continuing(clientId) }
    const ended = await this.#sessions.delivery.awaited(clientId, endsSince)
    const live = this.#sessions.live.ofConstellation(clientId).map(({ task }) => task.sessionId)
    return { session_ids: [...live, ...ended] }
  }

  /** Continues the sessions of a client that has registered, and delivers to a constellation what ended while it was away. */
  back({ clientId, clientType, features, endsSince }: ClientInfo): void {
    if (clientType === 'device') return this.#sessions.lanes.back(clientId)
    this.#sessions.requesterBack(clientId)
    if (!features.has('resume')) return
    this.#sessions.delivery.back(clientId, endsSince).catch((error: unknown) => {
      this.#logger.error(`[WS] What ended while ${clientId} was away could not be read: ${messageOf(error)}`)
    })
  }

  /** Notes that a client with the feature resume has dropped. */
  away({ clientId, clientType }: ClientInfo): void {
    if (clientType === 'device') this.#sessions.lanes.away(clientId)
    else this.#sessions.requesterAway(clientId)
  }
}
