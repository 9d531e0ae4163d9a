import type { Clock } from '@orrery/aip'
import { SERVER_LIMITS } from '../limits.js'

interface Bucket {
  /** Bytes that may be read at once; negative after a chunk that was larger than what was left. */
  left: number
  filledAt: number
}

/**
 * How much of large messages the clients of one address may send: so much at once, then so much a second. Assembling one holds up all other
 * clients for a moment, so it must not happen again and again.
 */
export class LargeTraffic {
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts what has arrived of a large message. @returns milliseconds for which no more of it is to be read; 0 if it may continue */
  spend(address: string, bytes: number): number {
    const bucket = this.#filled(address)
    bucket.left -= bytes
    return bucket.left >= 0 ? 0 : Math.ceil((-bucket.left / SERVER_LIMITS.largeTrafficRate) * 1000)
  }

  #filled(address: string): Bucket {
    const now = this.#clock.now()
    const bucket = this.#buckets.get(address) ?? { left: SERVER_LIMITS.largeTrafficBurst, filledAt: now }
    bucket.left = leftAt(bucket, now)
    bucket.filledAt = now
    if (!this.#buckets.has(address)) this.#forgetFull(now)
    this.#buckets.set(address, bucket)
    return bucket
  }

  /** A full bucket is as good as none. */
  #forgetFull(now: number): void {
    for (const [address, bucket] of this.#buckets)
      if (leftAt(bucket, now) === SERVER_LIMITS.largeTrafficBurst) this.#buckets.delete(address)
  }
}

function leftAt({ left, filledAt }: Bucket, now: number): number {
  const more = (Math.max(now - filledAt, 0) / 1000) * SERVER_LIMITS.largeTrafficRate
  return Math.min(left + more, SERVER_LIMITS.largeTrafficBurst)
}
