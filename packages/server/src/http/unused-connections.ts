import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Connections on which no request has come yet, such as those that browsers open in advance. Node does not count them as idle, so a server
 * that closes would wait for them until their time for a request is over.
 */
export class UnusedConnections {
  readonly #sockets = new Set<Socket>()

  constructor(server: Server) {
    const add = (socket: Socket): void => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    const used = ({ socket }: IncomingMessage): void => void this.#sockets.delete(socket)
    // Of a server with TLS, requests come on the socket that this event gives.
    server.on('setSecureContext' in server ? 'secureConnection' : 'connection', add)
    server.on('request', used)
    server.on('upgrade', used)
  }

  /** Drops them. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
