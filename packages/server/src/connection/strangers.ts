import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { countedAddress } from './client-address.js'
import { SERVER_LIMITS } from '../limits.js'

interface Stranger {
  socket: Socket
  address: string
}

/**
 * The connections that have not shown a right key. There are so many in all and from one address; one more replaces the oldest, so
 * that a peer that holds connections open without a key keeps no other peer out.
 */
export class Strangers {
  /** Oldest first, by both ends of the connection: with TLS the socket of a request is not the one that was accepted. */
  readonly #all = new Map<string, Stranger>()
  readonly #byAddress = new Map<string, Set<string>>()
  readonly #most: number
  readonly #closed: (this: Socket) => void

  /** @param most how many there may be in all */
  constructor(server: Server, most: number) {
    this.#most = most
    // One for all of them, because a closure for each takes memory.
    const remove = (socket: Socket): void => this.#remove(nameOf(socket))
    this.#closed = function () {
      remove(this)
    }
    server.on('connection', (socket: Socket) => this.#add(socket))
  }

  /** A right key came over this connection. */
  isKnown(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    this.#remove(nameOf(socket))
  }

  #add(socket: Socket): void {
    const name = nameOf(socket)
    const address = countedAddress(socket.remoteAddress ?? '')
    const same = this.#byAddress.get(address) ?? new Set()
    if (same.size >= SERVER_LIMITS.strangersPerAddress) this.#drop(same)
    else if (this.#all.size >= this.#most) this.#drop(this.#all.keys())
    this.#byAddress.set(address, same.add(name))
    this.#all.set(name, { socket, address })
    socket.on('close', this.#closed)
  }

  #drop(names: Iterable<string>): void {
    for (const name of names) {
      const stranger = this.#all.get(name)
      this.#remove(name)
      stranger?.socket.destroy()
      return
    }
  }

  #remove(name: string): void {
    const stranger = this.#all.get(name)
    if (stranger === undefined) return
    this.#all.delete(name)
    stranger.socket.off('close', this.#closed)
    const same = this.#byAddress.get(stranger.address)
    same?.delete(name)
    if (same?.size === 0) this.#byAddress.delete(stranger.address)
  }
}

/** Node keeps the address of a socket that has closed, once it was asked for. */
function nameOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`
}
