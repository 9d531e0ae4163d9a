import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws'
import { DEVICE_SOCKET, type WebSocketSettings } from '../../src/node/websocket-settings.js'
import { WebSocketTransport } from '../../src/node/websocket-transport.js'

/** A WebSocket server on a free port. */
export interface Listener extends AsyncDisposable {
  url: string
  /** The next connection. */
  accept(): Promise<WebSocket>
}

export async function listen(options: ServerOptions = {}, scheme: 'ws' | 'wss' = 'ws'): Promise<Listener> {
  const server = new WebSocketServer({
    perMessageDeflate: false,
    ...(options.server ? {} : { port: 0, host: '127.0.0.1' }),
    ...options,
  })
  const accepted: WebSocket[] = []
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    accepted.push(socket)
  })
  if (!options.server) await once(server, 'listening')
  const { port } = (options.server ?? server).address() as AddressInfo
  return {
    url: `${scheme}://127.0.0.1:${port}/ws`,
    async accept() {
      if (accepted.length === 0) await once(server, 'connection')
      return accepted.shift()!
    },
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Both ends of a connection: a transport with its socket, and the socket of a bare peer. */
export interface Connection extends AsyncDisposable {
  transport: WebSocketTransport
  socket: WebSocket
  peer: WebSocket
}

export async function connectBare(settings: Partial<WebSocketSettings> = {}, options: ServerOptions = {}): Promise<Connection> {
  const listener = await listen(options)
  const socket = new WebSocket(listener.url, { perMessageDeflate: false, maxPayload: 100 * 1024 * 1024 })
  const transport = new WebSocketTransport(socket, { ...DEVICE_SOCKET, ...settings })
  const [peer] = await Promise.all([listener.accept(), once(socket, 'open')])
  return {
    transport,
    socket,
    peer,
    async [Symbol.asyncDispose]() {
      transport.terminate()
      await transport.closed
      await listener[Symbol.asyncDispose]()
    },
  }
}

/** Two transports over a real socket. */
export async function connectTransports(): Promise<AsyncDisposable & { near: WebSocketTransport; far: WebSocketTransport }> {
  const listener = await listen()
  const near = await WebSocketTransport.connect(listener.url)
  const far = new WebSocketTransport(await listener.accept())
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.terminate()
      far.terminate()
      await Promise.all([near.closed, far.closed])
      await listener[Symbol.asyncDispose]()
    },
  }
}
