import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { LIMITS, type Clock, type Transport } from '@orrery/aip'
import { DEVICE_SOCKET, TRANSFER_SOCKET, WebSocketTransport } from '@orrery/aip/node'
import { WebSocketServer, type WebSocket } from 'ws'
import type { WaitingTransfers } from '../files/waiting-transfers.js'
import type { Keys } from '../identity/keys.js'
import type { Principal } from '../identity/principal.js'

/** Bytes of frame headers and pings that may accompany the registration. */
const FRAME_OVERHEAD = 1024

/** Serves a connection once its handshake is complete. */
export type Accept = (transport: Transport, principal: Principal, registered: () => void) => Promise<void>

/** The WebSocket end of the server's port: checks path and key before the upgrade, and limits connections that have not registered yet. */
export class WebSocketUpgrade {
  readonly #sockets = socketServer(LIMITS.frame)
  readonly #transferSockets = socketServer(LIMITS.transferFrame)
  readonly #transfers: WaitingTransfers
  readonly #keys: Keys
  readonly #closing: () => boolean
  readonly #clock: Clock
  readonly #accept: Accept
  readonly #open = new Set<WebSocketTransport>()
  #unregistered = 0

  /** @param options.closing whether connections are no longer accepted */
  constructor(options: { keys: Keys; clock: Clock; accept: Accept; transfers: WaitingTransfers; closing: () => boolean }) {
    this.#keys = options.keys
    this.#closing = options.closing
    this.#clock = options.clock
    this.#accept = options.accept
    this.#transfers = options.transfers
  }

  /** Serves the upgrades of an HTTP server. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy())
      const asked = askedOf(request)
      const principal = this.#keys.principalOf(asked.key)
      const refusal = this.#refusal(asked, principal)
      if (principal === null || refusal !== null) {
        socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
        return
      }
      const connect = asked.transfer === null ? null : this.#transfers.take(asked.transfer)
      if (connect !== null) {
        this.#transferSockets.handleUpgrade(request, socket, head, (webSocket) => void this.#serveTransfer(webSocket, connect))
        return
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => void this.#serve(webSocket, socket as Socket, principal))
    })
  }

  /** Closes every connection with 1012, as a server that restarts does; a peer that does not answer is dropped after the close timeout. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((transport) => transport.close(1012, 'server stopping')))
    this.#sockets.close()
    this.#transferSockets.close()
  }

  /** Existing peers see 403 for a wrong path and a wrong key alike (protocol reference, chapter 1). */
  #refusal({ path, transfer }: Asked, principal: Principal | null): string | null {
    const isKnown = transfer === null ? path === '/ws' : this.#transfers.admits(transfer)
    if (!isKnown || principal === null) return '403 Forbidden'
    // A connection that arrives while the others are being closed would keep the server from ending.
    if (this.#closing()) return '503 Service Unavailable'
    if (transfer !== null) return null
    return this.#unregistered >= LIMITS.unregisteredConnections ? '503 Service Unavailable' : null
  }

  async #serveTransfer(webSocket: WebSocket, connect: (transport: Transport) => void): Promise<void> {
    const transport = new WebSocketTransport(webSocket, { ...TRANSFER_SOCKET, clock: this.#clock })
    this.#open.add(transport)
    connect(transport)
    await transport.closed
    this.#open.delete(transport)
  }

  async #serve(webSocket: WebSocket, socket: Socket, principal: Principal): Promise<void> {
    const transport = new WebSocketTransport(webSocket, { ...DEVICE_SOCKET, clock: this.#clock }, socket)
    this.#open.add(transport)
    this.#unregistered += 1
    const before = socket.bytesRead
    const bound = (): void => {
      if (socket.bytesRead - before > LIMITS.frameBeforeRegistration + FRAME_OVERHEAD) {
        void transport.close(1009, 'message too big before registration')
        transport.terminate()
      }
    }
    socket.on('data', bound)
    let waiting = true
    const settle = (): void => {
      if (!waiting) return
      waiting = false
      this.#unregistered -= 1
      socket.off('data', bound)
    }
    try {
      await this.#accept(transport, principal, settle)
    } finally {
      settle()
      await transport.closed
      this.#open.delete(transport)
    }
  }
}

function socketServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    closeTimeout: DEVICE_SOCKET.closeTimeoutMs,
  } as ConstructorParameters<typeof WebSocketServer>[0])
}

/** What a handshake requests. */
interface Asked {
  path: string | undefined
  /** A bearer token, or the last `token` of the query. */
  key: string | undefined
  /** The file transfer that the connection is for, with its key; null for a client's own connection. */
  transfer: { id: string; key: string | undefined } | null
}

function askedOf({ url = '', headers }: IncomingMessage): Asked {
  const parsed = URL.parse(url, 'http://localhost')
  const path = parsed?.pathname
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
  const id = /^\/ws\/transfers\/([^/]+)$/.exec(path ?? '')?.[1]
  const transferKey = headers['x-orrery-transfer-key']
  return {
    path,
    key: bearer ?? parsed?.searchParams.getAll('token').at(-1),
    transfer: id === undefined ? null : { id, key: typeof transferKey === 'string' ? transferKey : undefined },
  }
}
