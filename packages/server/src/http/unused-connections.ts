import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Connections that have not carried a request yet, such as those that browsers open in advance. Node does not count them as idle, so a server
 * that closes would wait for them until their request times out.
 */
export class UnusedConnections {
  readonly #sockets = new Set<Socket>()

  constructor(server: Server) {
    const sockets = this.#sockets
    function forget(this: Socket): void {
      sockets.delete(this)
    }
    const add = (socket: Socket): void => {
      sockets.add(socket)
      socket.on('close', forget)
    }
    const used = ({ socket }: IncomingMessage): void => {
      sockets.delete(socket)
      socket.off('close', forget)
    }
    // With TLS, requests arrive on the socket of this event.
    server.on('setSecureContext' in server ? 'secureConnection' : 'connection', add)
    server.on('request', used)
    server.on('upgrade', used)
  }

  /** Closes them. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
