import type { Clock, Logger } from '@orrery/aip'
import { SERVER_LIMITS } from '../limits.js'

/** The log of one connection: so many lines a minute, then a line that counts the ones left out. Debugging shows all. */
export class ClientLog implements Logger {
  readonly #logger: Logger
  readonly #clock: Clock
  #since: number
  #lines = 0

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
    this.#since = clock.now()
  }

  debug(message: string): void {
    this.#logger.debug(message)
  }

  info(message: string): void {
    if (this.#mayWrite()) this.#logger.info(message)
  }

  warn(message: string): void {
    if (this.#mayWrite()) this.#logger.warn(message)
  }

  error(message: string): void {
    if (this.#mayWrite()) this.#logger.error(message)
  }

  /** Reports at the end of the connection what was left out last. */
  end(): void {
    const omitted = this.#lines - SERVER_LIMITS.clientLogLines
    if (omitted > 0) this.#logger.warn(`[WS] ${omitted} more lines about this client were left out`)
    this.#lines = 0
  }

  #mayWrite(): boolean {
    const now = this.#clock.now()
    if (now - this.#since >= SERVER_LIMITS.clientLogTime) {
      this.end()
      this.#since = now
    }
    this.#lines += 1
    return this.#lines <= SERVER_LIMITS.clientLogLines
  }
}
