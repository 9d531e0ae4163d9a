import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import { requireRight, type Principal } from '../identity/principal.js'
import type { SessionManager } from '../sessions/session-manager.js'
import { serverError } from '../errors.js'

/** The server itself. */
export class FleetServer {
  readonly #clients: ClientConnectionManager
  readonly #sessions: SessionManager
  readonly #devicePackage: string | undefined

  /** @param devicePackage path of the npm package for devices; default: there is none */
  constructor(clients: ClientConnectionManager, sessions: SessionManager, devicePackage?: string) {
    this.#clients = clients
    this.#sessions = sessions
    this.#devicePackage = devicePackage
  }

  /** Returns the npm package for devices, with its size in bytes. @throws AipError `DEVICE_PACKAGE_MISSING` */
  async devicePackage(): Promise<{ content: Readable; size: number }> {
    const file = this.#devicePackage === undefined ? null : await open(this.#devicePackage).catch(() => null)
    if (file === null) throw serverError('DEVICE_PACKAGE_MISSING')
    // The stream closes the file.
    return { content: file.createReadStream(), size: (await file.stat()).size }
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
