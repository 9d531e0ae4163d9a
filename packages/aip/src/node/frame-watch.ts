import type { Socket } from 'node:net'
import type { Clock, Timer } from '../clock.js'
import { LIMITS } from '../limits.js'
import { FrameMeter } from './frame-meter.js'
import type { Holder, SharedBudget } from './shared-budget.js'
import type { WebSocketTransport } from './websocket-transport.js'

/** Bytes of frame headers and pings that may accompany the registration. */
const FRAME_OVERHEAD = 1024

/**
 * Refuses what a client sends too much of, before it is kept: a frame or bytes above the limit while it has not registered, and a
 * message that it begins and does not continue.
 */
export class FrameWatch extends FrameMeter implements Holder {
  readonly #transport: WebSocketTransport
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #budget: SharedBudget
  readonly #spend: (bytes: number) => number
  #registered = false
  #counted = 0
  #received = 0
  #timer: Timer | null = null

  /**
   * @param socket the connection below; bytes that the transport reads pass here first
   * @param budget what all connections may hold of unfinished messages
   * @param spend notes what has arrived of a large message, in bytes, and gives the milliseconds for which no more is to be read
   */
  constructor(
    transport: WebSocketTransport,
    socket: Socket,
    clock: Clock,
    budget: SharedBudget,
    spend: (bytes: number) => number = () => 0,
  ) {
    super()
    this.#spend = spend
    this.#budget = budget
    this.#transport = transport
    this.#socket = socket
    this.#clock = clock
    socket.prependListener('data', (chunk: Buffer) => this.#read(chunk))
  }

  /** The connection has ended. */
  ended(): void {
    this.#timer?.cancel()
    this.#budget.holds(this, 0)
  }

  /** From now on the frames may be as large as those of a client. */
  registered(): void {
    this.#registered = true
  }

  /** Closes the connection: its unfinished message is the largest of all, and all together are too large. */
  drop(): void {
    this.#transport.refuse(1013, 'too much unfinished data')
  }

  protected frameBegins(bytes: number): void {
    if (!this.#registered && bytes > LIMITS.frameBeforeRegistration) this.#tooBig()
  }

  #read(chunk: Buffer): void {
    this.feed(chunk)
    if (!this.#registered) {
      this.#received += chunk.length
      if (this.#received > LIMITS.frameBeforeRegistration + FRAME_OVERHEAD) this.#tooBig()
    }
    this.#count(this.messageBytes)
    if (this.isUnfinished) this.#timer ??= this.#expectMore()
  }

  /** Small messages are many, and cost less than counting them. */
  #count(bytes: number): void {
    const counted = bytes > LIMITS.frameBeforeRegistration ? bytes : 0
    if (counted === 0 && this.#counted === 0) return
    this.#budget.holds(this, counted)
    if (counted > LIMITS.largeMessage) this.#mayRest(counted - Math.max(this.#counted, LIMITS.largeMessage))
    this.#counted = counted
  }

  #mayRest(bytes: number): void {
    const ms = this.#spend(bytes)
    if (ms > 0) this.#transport.rest(ms)
  }

  #tooBig(): void {
    this.#transport.refuse(1009, 'message too big before registration')
  }

  #expectMore(): Timer {
    const before = this.dataBytes
    return this.#clock.after(LIMITS.unfinishedMessage, () => {
      this.#timer = null
      if (!this.isUnfinished) return
      // While earlier messages wait to be handled, nothing is read, so there can be no progress.
      if (this.dataBytes > before || this.#socket.isPaused()) this.#timer = this.#expectMore()
      else this.#transport.refuse(1008, 'unfinished message')
    })
  }
}
