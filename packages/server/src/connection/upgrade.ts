import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { LIMITS, type Clock, type Transport } from '@orrery/aip'
import {
  DEVICE_SOCKET,
  FrameWatch,
  OWN_SERVER,
  SharedBudget,
  TRANSFER_SOCKET,
  WebSocketTransport,
  type WebSocketSettings,
} from '@orrery/aip/node'
import { WebSocketServer, type WebSocket } from 'ws'
import type { WaitingTransfers } from '../files/waiting-transfers.js'
import type { KeyGuesses } from '../identity/key-guesses.js'
import type { Keys } from '../identity/keys.js'
import type { Principal } from '../identity/principal.js'
import { shownKey } from '../identity/shown-key.js'
import type { AddressOf } from './client-address.js'
import { isOwnOrigin } from './origin.js'
import { LargeTraffic } from './large-traffic.js'
import type { Strangers } from './strangers.js'
import { SERVER_LIMITS } from '../limits.js'
import { WaitingPlaces } from './waiting-places.js'

/** Serves a connection once its handshake is complete. */
export type Accept = (transport: Transport, principal: Principal, registered: () => void) => Promise<void>

/** What a {@link WebSocketUpgrade} works with. */
export interface UpgradeOptions {
  keys: Keys
  guesses: KeyGuesses
  strangers: Strangers
  addressOf: AddressOf
  /** Address under which browsers reach the server, if a proxy is before it. */
  publicUrl: string | undefined
  clock: Clock
  /** What all connections may hold for slow readers. */
  budget: SharedBudget
  accept: Accept
  transfers: WaitingTransfers
  /** Serves an operator's connection for a terminal on a device. */
  terminal: (transport: Transport, principal: Principal, deviceId: string) => Promise<void>
  /** Whether connections are no longer accepted. */
  closing: () => boolean
}

/** The WebSocket end of the server's port: checks path, key and origin before the upgrade, and limits connections that have not registered yet. */
export class WebSocketUpgrade {
  readonly #sockets = socketServer(LIMITS.frame)
  readonly #transferSockets = socketServer(LIMITS.transferFrame)
  readonly #options: UpgradeOptions
  /** Shared by all connections. */
  readonly #settings: WebSocketSettings
  readonly #open = new Set<WebSocketTransport>()
  readonly #places = new WaitingPlaces()
  readonly #largeTraffic: LargeTraffic
  readonly #unfinished = new SharedBudget(SERVER_LIMITS.unfinishedInAll)

  constructor(options: UpgradeOptions) {
    this.#options = options
    const { clock, budget } = options
    this.#largeTraffic = new LargeTraffic(clock)
    this.#settings = { ...DEVICE_SOCKET, clock, budget, maxTextBytes: LIMITS.message }
  }

  /** Serves the upgrades of an HTTP server. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      const socket = stream as Socket
      socket.on('error', drop)
      const asked = askedOf(request)
      const principal = this.#options.keys.principalOf(asked.key)
      const refusal = this.#refusal(request, asked, principal)
      if (principal === null || refusal !== null) return refuse(socket, refusal ?? FORBIDDEN)
      this.#options.strangers.isKnown(socket)
      if (asked.transfer !== null) {
        const connect = this.#options.transfers.take(asked.transfer)
        if (connect === null) return refuse(socket, FORBIDDEN)
        this.#transferSockets.handleUpgrade(request, socket, head, (webSocket) => void this.#serveTransfer(webSocket, connect))
        return
      }
      const { terminal: deviceId } = asked
      if (deviceId !== null) {
        const serve = (transport: Transport): Promise<void> => this.#options.terminal(transport, principal, deviceId)
        this.#transferSockets.handleUpgrade(request, socket, head, (webSocket) => void this.#serveTransfer(webSocket, serve))
        return
      }
      const address = this.#options.addressOf(request)
      const free = this.#places.take(address, principal.name)
      if (free === null) return refuse(socket, UNAVAILABLE)
      void socket.once('close', free)
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
        this.#serve(webSocket, socket, principal, { address, free }),
      )
    })
  }

  /** Closes every connection with 1012, as a server that restarts does; a peer that does not answer is dropped after the close timeout. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((transport) => transport.close(1012, 'server stopping')))
    this.#sockets.close()
    this.#transferSockets.close()
  }

  /** Existing peers see 403 for a wrong path and a wrong key alike (protocol reference, chapter 1). */
  #refusal(request: IncomingMessage, { path, key, transfer, terminal }: Asked, principal: Principal | null): string | null {
    if (principal === null && key !== undefined && key !== '') {
      const seconds = this.#options.guesses.wrong(this.#options.addressOf(request), key)
      if (seconds !== null) return `429 Too Many Requests\r\nRetry-After: ${seconds}`
    }
    const isServed =
      transfer === null
        ? path === '/ws' || (terminal !== null && isOperator(principal))
        : this.#options.transfers.admits(transfer)
    if (!isServed || principal === null || !isOwnOrigin(request, this.#options.publicUrl)) return FORBIDDEN
    // A connection that arrives while the others are being closed would keep the server from ending.
    return this.#options.closing() ? UNAVAILABLE : null
  }

  async #serveTransfer(webSocket: WebSocket, connect: (transport: Transport) => unknown): Promise<void> {
    const transport = new WebSocketTransport(webSocket, {
      ...TRANSFER_SOCKET,
      clock: this.#options.clock,
      budget: this.#options.budget,
    })
    this.#open.add(transport)
    connect(transport)
    await transport.closed
    this.#open.delete(transport)
  }

  #serve(webSocket: WebSocket, socket: Socket, principal: Principal, place: { address: string; free: () => void }): void {
    const { address, free } = place
    const { clock, accept } = this.#options
    const transport = new WebSocketTransport(webSocket, this.#settings, socket)
    const watch = new FrameWatch(transport, socket, clock, this.#unfinished, (bytes) => this.#largeTraffic.spend(address, bytes))
    this.#open.add(transport)
    const registered = (): void => {
      free()
      socket.off('close', free)
      watch.registered()
    }
    // No function waits here for as long as the connection lasts: it would keep all that it has in memory.
    void accept(transport, principal, registered)
    void transport.closed.then(() => {
      watch.ended()
      this.#open.delete(transport)
    })
  }
}

/** One for all sockets, because a closure for each takes memory. */
function drop(this: Socket): void {
  this.destroy()
}

const FORBIDDEN = '403 Forbidden'
const UNAVAILABLE = '503 Service Unavailable'

/** Answers a handshake and lets go of its connection: ended alone, it would stay for as long as the other end keeps its own. */
function refuse(socket: Socket, status: string): void {
  // By the name a client knows that trying again, or in another way, does not help.
  socket.write(`HTTP/1.1 ${status}\r\nServer: ${OWN_SERVER}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  socket.destroySoon()
}

function socketServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    maxFragments: LIMITS.fragments,
    closeTimeout: DEVICE_SOCKET.closeTimeoutMs,
  } as ConstructorParameters<typeof WebSocketServer>[0])
}

/** What a handshake requests. */
interface Asked {
  path: string
  /** That of a header, or the last `token` of the query. */
  key: string | undefined
  /** The file transfer that the connection is for, with its key; null for a client's own connection. */
  transfer: { id: string; key: string | undefined } | null
  /** The device on which an operator wants a terminal; null for other connections. */
  terminal: string | null
}

/** A key that opens no route of the API is refused as a wrong one. */
function isOperator(principal: Principal | null): boolean {
  return principal !== null && principal.rights.size > 0
}

function askedOf({ url = '', headers }: IncomingMessage): Asked {
  // A whole URL is not parsed: 10,000 devices may return at once.
  const [path = '', ...query] = url.split('?')
  const id = /^\/ws\/transfers\/([^/]+)$/.exec(path)?.[1]
  const device = /^\/api\/devices\/([^/]+)\/terminal\/?$/.exec(path)?.[1]
  const transferKey = headers['x-orrery-transfer-key']
  return {
    path,
    key: shownKey(headers) ?? new URLSearchParams(query.join('?')).getAll('token').at(-1),
    terminal: device === undefined ? null : decoded(device),
    transfer: id === undefined ? null : { id, key: typeof transferKey === 'string' ? transferKey : undefined },
  }
}

/** A part of a path; null if it is not well-formed. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}
