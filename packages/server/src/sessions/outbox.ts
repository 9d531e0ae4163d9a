import { messageOf, type Logger } from '@orrery/aip'

/** Sends one message when its turn comes. Rejects if it could not be sent. */
export type Letter = () => Promise<void>

/**
 * The messages to one client, one after the other: the next is fetched when the previous one has left. So a client that reads slowly
 * costs the memory of one message, no matter how many wait.
 */
export class Outbox {
  readonly #logger: Logger
  readonly #waiting: Letter[] = []
  #sending = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get isEmpty(): boolean {
    return !this.#sending
  }

  /** Sends a letter when earlier ones have left; at once, in this turn of the event loop, if there are none. */
  add(letter: Letter): void {
    this.#waiting.push(letter)
    if (!this.#sending) void this.#send()
  }

  /** Drops waiting letters. */
  clear(): void {
    this.#waiting.length = 0
  }

  async #send(): Promise<void> {
    this.#sending = true
    for (let letter = this.#waiting.shift(); letter !== undefined; letter = this.#waiting.shift()) {
      try {
        await letter()
      } catch (error) {
        this.#logger.debug(`[WS] Could not report an end to a client: ${messageOf(error)}`)
      }
    }
    this.#sending = false
  }
}
