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

  /** Lists the ids of online clients of both kinds. */
  clients(principal: Principal): string[] {
    requireRight(principal, 'read')
    return this.#clients.listClients()
  }

  /** Whether it no longer accepts work. */
  get stopping(): boolean {
    return this.#sessions.state !== 'open'
  }
}
