import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { FrameSplitter, TEXT, type Frame, type Part } from './frames.ts'

/** Which way data flows through the proxy. */
export type Direction = 'to-server' | 'to-device'

/** Looks at each frame before it is passed on. @returns true if it has dealt with the frame itself */
export type Tap = (link: Link, direction: Direction, frame: Frame) => boolean

/** A TCP proxy between one device and the server, which can do what networks do. */
export class FaultProxy implements AsyncDisposable {
  /** The connections that are open now. */
  readonly links = new Set<Link>()
  /** Sees every frame while it is set. */
  tap: Tap | null = null
  /** Added to each piece of data, in milliseconds. */
  delayMs = 0
  /** Nothing passes until this settles. */
  stalled: Promise<void> = Promise.resolve()
  /** The device reads nothing until this settles: what is sent to it piles up at the server. */
  unread: Promise<void> = Promise.resolve()
  readonly #server: Server
  readonly #target: number

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
    server.on('connection', (socket) => this.#open(socket))
  }

  /** @param target port on this machine to which connections are passed on */
  static async listen(target: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new FaultProxy(server, target)
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Ends all connections: cleanly (FIN), or with a reset (RST). */
  cut(how: 'fin' | 'reset'): void {
    for (const link of this.links) link.cut(how)
  }

  /** From now on the open connections take data of these directions and pass nothing on, not even their end; new ones work. */
  blackhole(...directions: Direction[]): void {
    for (const link of this.links) link.swallow(directions)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.links) link.cut('reset')
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #open(device: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const link = new Link(this, device, server)
    this.links.add(link)
    void link.closed.then(() => this.links.delete(link))
  }
}

/** One connection through the proxy: two sockets. */
export class Link {
  /** Settles when both sockets are closed. */
  readonly closed: Promise<unknown>
  /** Text frames that have passed each way. */
  readonly passed: Record<Direction, number> = { 'to-server': 0, 'to-device': 0 }
  readonly #proxy: FaultProxy
  readonly #ends: Record<Direction, { from: Socket; to: Socket }>
  readonly #swallowed = new Set<Direction>()
  /** What is to follow a frame that is passing in pieces. */
  readonly #after: Record<Direction, Buffer[] | null> = { 'to-server': null, 'to-device': null }

  constructor(proxy: FaultProxy, device: Socket, server: Socket) {
    this.#proxy = proxy
    this.#ends = { 'to-server': { from: device, to: server }, 'to-device': { from: server, to: device } }
    this.closed = Promise.all([device, server].map((socket) => new Promise<void>((resolve) => socket.once('close', resolve))))
    void this.#pump('to-server')
    void this.#pump('to-device')
  }

  /** Sends bytes one way, out of order with what waits, but not into the middle of a frame. Does nothing on a connection that has ended. */
  inject(direction: Direction, bytes: Buffer): void {
    const after = this.#after[direction]
    if (after === null) this.#write(direction, bytes)
    else after.push(bytes)
  }

  #write(direction: Direction, bytes: Buffer): void {
    const { to } = this.#ends[direction]
    if (to.writable) to.write(bytes)
  }

  cut(how: 'fin' | 'reset'): void {
    for (const { to } of Object.values(this.#ends)) {
      if (how === 'reset') to.resetAndDestroy()
      else to.destroySoon()
    }
  }

  swallow(directions: readonly Direction[]): void {
    for (const direction of directions) this.#swallowed.add(direction)
  }

  async #pump(direction: Direction): Promise<void> {
    const { from, to } = this.#ends[direction]
    const splitter = new FrameSplitter()
    to.on('error', () => from.destroy())
    try {
      for await (const chunk of from) for (const part of splitter.push(chunk as Buffer)) await this.#pass(direction, part)
      if (!this.#swallowed.has(direction)) to.end()
    } catch {
      if (!this.#swallowed.has(direction)) to.resetAndDestroy()
    }
  }

  async #pass(direction: Direction, part: Part): Promise<void> {
    const { delayMs, stalled, unread, tap } = this.#proxy
    await stalled
    if (direction === 'to-device') await unread
    if (delayMs > 0) await sleep(delayMs)
    if (this.#swallowed.has(direction)) return
    if ('piece' in part) {
      this.#write(direction, part.piece)
      const after = this.#after[direction] ?? []
      this.#after[direction] = part.isLast ? null : after
      if (part.isLast) for (const bytes of after) this.inject(direction, bytes)
      return
    }
    if ('opcode' in part) {
      if (tap?.(this, direction, part) === true) return
      if (part.opcode === TEXT) this.passed[direction] += 1
    }
    this.inject(direction, 'opcode' in part ? part.bytes : part)
  }
}
