import type { Socket } from 'node:net'
import type { Clock, Timer } from '../clock.js'
import { LIMITS } from '../limits.js'
import { FrameMeter } from './frame-meter.js'
import type { WebSocketTransport } from './websocket-transport.js'

/** Bytes of frame headers and pings that may accompany the registration. */
const FRAME_OVERHEAD = 1024

/**
 * Refuses what a client sends too much of, before it is kept: a frame or bytes above the limit while it has not registered, and a
 * message that it begins and does not continue.
 */
export class FrameWatch {
  readonly #transport: WebSocketTransport
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #meter: FrameMeter
  #registered = false
  #received = 0
  #timer: Timer | null = null

  /** @param socket the connection below; bytes that the transport reads pass here first */
  constructor(transport: WebSocketTransport, socket: Socket, clock: Clock) {
    this.#transport = transport
    this.#socket = socket
    this.#clock = clock
    this.#meter = new FrameMeter((bytes) => {
      if (!this.#registered && bytes > LIMITS.frameBeforeRegistration) this.#tooBig()
    })
    socket.prependListener('data', (chunk: Buffer) => this.#read(chunk))
    void transport.closed.then(() => this.#timer?.cancel())
  }

  /** From now on the frames may be as large as those of a client. */
  registered(): void {
    this.#registered = true
  }

  #read(chunk: Buffer): void {
    this.#received += chunk.length
    this.#meter.feed(chunk)
    if (!this.#registered && this.#received > LIMITS.frameBeforeRegistration + FRAME_OVERHEAD) this.#tooBig()
    if (this.#meter.isUnfinished) this.#timer ??= this.#expectMore()
  }

  #tooBig(): void {
    this.#transport.refuse(1009, 'message too big before registration')
  }

  #expectMore(): Timer {
    const before = this.#meter.dataBytes
    return this.#clock.after(LIMITS.unfinishedMessage, () => {
      this.#timer = null
      if (!this.#meter.isUnfinished) return
      // While earlier messages wait to be handled, nothing is read, so there can be no progress.
      if (this.#meter.dataBytes > before || this.#socket.isPaused()) this.#timer = this.#expectMore()
      else this.#transport.refuse(1008, 'unfinished message')
    })
  }
}
