import { hash } from 'node:crypto'
import type { Clock, Logger } from '@orrery/aip'
import { SERVER_LIMITS } from '../limits.js'

interface Guesses {
  since: number
  /** Digests of the wrong keys. */
  keys: Set<string>
}

/**
 * The wrong keys that came from each address. Only different ones count, so a client that repeats an old key is not taken for a guesser. A right key is
 * never asked about here.
 */
export class KeyGuesses {
  readonly #clock: Clock
  readonly #logger: Logger
  /** Oldest first. */
  readonly #addresses = new Map<string, Guesses>()

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  /** Counts a wrong key. @returns after how many seconds the address may try again; null if it need not wait */
  wrong(address: string, key: string): number | null {
    const now = this.#clock.now()
    const { since, keys } = this.#of(address, now)
    if (keys.size <= SERVER_LIMITS.wrongKeys) {
      keys.add(hash('sha256', key, 'base64'))
      if (keys.size <= SERVER_LIMITS.wrongKeys) return null
      this.#logger.warn(
        `[WS] More than ${SERVER_LIMITS.wrongKeys} different wrong keys from ${address} within a minute: it has to wait`,
      )
    }
    return Math.max(1, Math.ceil((since + SERVER_LIMITS.wrongKeysTime - now) / 1000))
  }

  #of(address: string, now: number): Guesses {
    const known = this.#addresses.get(address)
    if (known !== undefined && now - known.since < SERVER_LIMITS.wrongKeysTime) return known
    this.#addresses.delete(address)
    const [oldest] = this.#addresses.keys()
    if (oldest !== undefined && this.#addresses.size >= SERVER_LIMITS.guessingAddresses) this.#addresses.delete(oldest)
    const fresh = { since: now, keys: new Set<string>() }
    this.#addresses.set(address, fresh)
    return fresh
  }
}
