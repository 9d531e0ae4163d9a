import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import { requireRight, type Principal } from '../identity/principal.js'
import type { SessionManager } from '../sessions/session-manager.js'

/** The server itself. */
export class FleetServer {
  readonly #clients: ClientConnectionManager
  readonly #sessions: SessionManager

  constructor(clients: ClientConnectionManager, sessions: SessionManager) {
    this.#clients = clients
    this.#sessions = sessions
  }

  /** Ids of the clients of both kinds that are online. */
  clients(principal: Principal): string[] {
    requireRight(principal, 'read')
    return this.#clients.listClients()
  }

  /** Whether it takes no more work. */
  get stopping(): boolean {
    return this.#sessions.stopping
  }
}
