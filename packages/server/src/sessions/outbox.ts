import { messageOf, type Logger } from '@orrery/aip'

/** Something that is sent in its turn. Rejects when it could not be sent. */
export type Letter = () => Promise<void>

/**
 * What one client is to be told, one after the other: the next is fetched when the one before has left. So a client that reads slowly
 * costs the memory of one message, however much waits for it.
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

  /** Sends a letter when those before it have left; at once, in this turn, if there are none. */
  add(letter: Letter): void {
    this.#waiting.push(letter)
    if (!this.#sending) void this.#send()
  }

  /** Drops what waits. */
  clear(): void {
    this.#waiting.length = 0
  }

  async #send(): Promise<void> {
    this.#sending = true
    for (let letter = this.#waiting.shift(); letter !== undefined; letter = this.#waiting.shift()) {
      try {
        await letter()
      } catch (error) {
        this.#logger.debug(`[WS] Could not tell a client of an end: ${messageOf(error)}`)
      }
    }
    this.#sending = false
  }
}
