import type { Clock, Pace, Timer } from '@orrery/aip'
import { SERVER_LIMITS } from '../limits.js'

/** Milliseconds after which waiting messages are looked at again: several at once cost less than a timer for each. */
const STEP = 50
/** A client that has sent nothing above its rate for this long, in milliseconds, has stopped doing so. */
const CALM = 500
/** The number of messages of one client after which all others have their turn. */
const TURN = 100

/** How many messages a client may send a second. What comes above that waits; it is cut off if that does not end. */
export class MessageRate implements Pace {
  readonly #clock: Clock
  readonly #tooMany: () => void
  /** Messages a second. */
  readonly #rate: number
  readonly #burst: number
  #tokens: number
  #filledAt: number
  /** Since when messages have had to wait, and when the last one did; null if they do not. */
  #over: { since: number; last: number } | null = null
  #timer: Timer | null = null
  #stopped = false
  /** Messages since the others had their turn. */
  #inTurn = 0
  /** While a large message is read elsewhere, what came after it waits. */
  #held = false
  #handled: Promise<void> | null = null
  #again: (() => void) | null = null

  /**
   * @param rate messages a second; a burst may have as many times more as with the usual rate
   * @param tooMany called once if the client sends too much for too long
   */
  constructor(clock: Clock, rate: number, tooMany: () => void) {
    this.#clock = clock
    this.#rate = rate
    this.#burst = rate * (SERVER_LIMITS.messageBurst / SERVER_LIMITS.messageRate)
    this.#tokens = this.#burst
    this.#tooMany = tooMany
    this.#filledAt = clock.now()
  }

  admits(again: () => void): boolean {
    if (this.#stopped) return false
    if (this.#held) {
      this.#again = again
      return false
    }
    if (this.#tokens < 1) this.#refill()
    if (this.#tokens >= 1) {
      if (this.#inTurn === TURN) setImmediate(again)
      this.#inTurn = (this.#inTurn + 1) % (TURN + 1)
      if (this.#inTurn === 0) return false
      this.#tokens -= 1
      return true
    }
    if (this.#isTooLong()) {
      this.stop()
      this.#tooMany()
      return false
    }
    this.#timer ??= this.#clock.after(STEP, () => {
      this.#timer = null
      again()
    })
    return false
  }

  /** The message that was admitted last was expected, such as the results of commands; it does not count. */
  expected(): void {
    this.#tokens = Math.min(this.#tokens + 1, this.#burst)
  }

  /** Admits nothing until the message that was admitted last is handled: it takes longer than a turn of the event loop. */
  hold(): void {
    this.#held = true
  }

  /** Notes the handling of the message that was admitted last. @param handling must not reject; undefined if it is done */
  handles(handling: Promise<void> | undefined): void {
    if (!this.#held || handling === undefined) return
    this.#handled = handling.then(() => {
      this.#held = false
      this.#again?.()
    })
  }

  /** Settles once no large message is being handled. */
  async settled(): Promise<void> {
    await this.#handled
  }

  /** Admits nothing from now on. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #refill(): void {
    const now = this.#clock.now()
    const more = ((now - this.#filledAt) / 1000) * this.#rate
    this.#tokens = Math.min(this.#tokens + Math.max(more, 0), this.#burst)
    this.#filledAt = now
  }

  #isTooLong(): boolean {
    const now = this.#clock.now()
    if (this.#over === null || now - this.#over.last > CALM) this.#over = { since: now, last: now }
    this.#over.last = now
    return now - this.#over.since >= SERVER_LIMITS.messageOverload
  }
}
