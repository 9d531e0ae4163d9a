import {
  sleep,
  type Clock,
  type ClientType,
  type Feature,
  type McpServerStatus,
  type TaskExecutionProtocol,
  type Transport,
} from '@orrery/aip'
import type { Principal } from '../identity/principal.js'
import { SERVER_LIMITS } from '../limits.js'
import { KnownDevices } from './known-devices.js'
import { serverError } from '../errors.js'

/** An online client. */
export interface ClientInfo {
  clientId: string
  clientType: ClientType
  /** What it may do. */
  principal: Principal
  platform: string
  /** As sent with the registration. */
  metadata: Record<string, unknown> | null
  /** What the device reports about itself; null if it reported nothing. */
  systemInfo: Record<string, unknown> | null
  /** The state of the device's MCP servers; null if it does not report them. */
  mcpServers: readonly McpServerStatus[] | null
  /** The optional features that this client supports. */
  features: ReadonlySet<Feature>
  /** Milliseconds since the epoch. */
  connectedAt: number
  transport: Transport
  taskProtocol: TaskExecutionProtocol
  /** The sessions whose ends were sent on this connection and are to be acknowledged. */
  unacknowledged: Set<string>
  /** Only ends of sessions that began at or after this time may go to a constellation: earlier ones belong to another holder of its id. Milliseconds since the epoch. */
  endsSince: number
  /** The device that a constellation registered for. */
  scope: string | null
  /** The key that a device presents to send or receive a file; null for clients without file transfer. */
  transferKey: string | null
}

/** The clients that are online, and the devices that are known. Knows nothing about messages or sessions. */
export class ClientConnectionManager {
  readonly known: KnownDevices
  readonly #clients = new Map<string, ClientInfo>()
  /** Waiters for a connection to be removed. */
  readonly #removals = new Map<Transport, () => void>()
  /** Ids of clients that are about to be added, each until that succeeds or fails. */
  readonly #held = new Map<string, Promise<void>>()

  /** @param known default: none yet, and they are forgotten with the process */
  constructor(known: KnownDevices = KnownDevices.inMemory()) {
    this.known = known
  }

  /**
   * Reserves an id for a client that is about to be added.
   * @returns releases it
   * @throws AipError `DUPLICATE_CLIENT` while a client of this id is online or about to be
   */
  hold(clientId: string): () => void {
    this.#assertFree(clientId)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held.set(clientId, promise)
    return () => {
      this.#held.delete(clientId)
      resolve()
    }
  }

  /** Settles when no client is about to be added under this id. */
  async settled(clientId: string): Promise<void> {
    for (let held = this.#held.get(clientId); held !== undefined; held = this.#held.get(clientId)) await held
  }

  /** @throws AipError `DUPLICATE_CLIENT` while a client of this id is online or about to be */
  addClient(info: ClientInfo): void {
    this.#assertFree(info.clientId)
    this.#clients.set(info.clientId, info)
  }

  /** Does nothing if the client is not online, or is online on another connection. */
  removeClient(clientId: string, transport?: Transport): void {
    const client = this.#clients.get(clientId)
    if (client === undefined || (transport !== undefined && client.transport !== transport)) return
    this.#clients.delete(clientId)
    this.#removals.get(client.transport)?.()
    this.#removals.delete(client.transport)
  }

  /**
   * Closes the connection of this id, if there is one, and waits until it is cleaned up.
   * @param atOnce skips the closing handshake: the connection is dead, or its owner has a new one
   */
  async replace(clientId: string, clock: Clock, atOnce: boolean): Promise<void> {
    const client = this.#clients.get(clientId)
    if (client === undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#removals.set(client.transport, resolve)
    if (atOnce) client.transport.terminate()
    else void client.transport.close(1000, 'replaced by a new connection')
    const closed = new AbortController()
    void sleep(clock, SERVER_LIMITS.replacedConnection, closed.signal).then(
      () => closed.signal.aborted || client.transport.terminate(),
    )
    await promise
    closed.abort()
  }

  getClientInfo(clientId: string): ClientInfo | undefined {
    return this.#clients.get(clientId)
  }

  isOnline(clientId: string): boolean {
    return this.#clients.has(clientId)
  }

  /** Returns whether a device, not a constellation, is online under this id. */
  isDeviceConnected(clientId: string): boolean {
    return this.#clients.get(clientId)?.clientType === 'device'
  }

  /** Lists ids in the order in which they connected. */
  listClients(type?: ClientType): string[] {
    return [...this.#clients.values()]
      .filter((client) => type === undefined || client.clientType === type)
      .map((client) => client.clientId)
  }

  /** How many clients are online. */
  get size(): number {
    return this.#clients.size
  }

  #assertFree(clientId: string): void {
    if (this.#clients.has(clientId) || this.#held.has(clientId)) throw serverError('DUPLICATE_CLIENT', { id: clientId })
  }
}
