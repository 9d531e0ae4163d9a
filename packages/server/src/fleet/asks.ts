import type { Ask } from '@orrery/aip/api'
import { requireRight, type Principal } from '../identity/principal.js'
import type { Asks } from '../sessions/asks.js'
import type { Feed } from '../store/feed.js'

/** Calls that wait on their devices for an approval. */
export class FleetAsks {
  readonly #asks: Asks
  readonly #feed: Feed

  constructor(asks: Asks, feed: Feed) {
    this.#asks = asks
    this.#feed = feed
  }

  /** The calls that wait, oldest first. */
  list(principal: Principal): { asks: Ask[]; position: string } {
    requireRight(principal, 'read')
    return { asks: this.#asks.list(), position: this.#feed.position() }
  }

  /** A call that waits; undefined if it does not, or not any more. */
  get(principal: Principal, askId: string): Ask | undefined {
    requireRight(principal, 'read')
    return this.#asks.get(askId)
  }

  /** Allows or denies a call, once. @throws AipError `ASK_NOT_FOUND`, or `DEVICE_OFFLINE` if the device cannot hear it now */
  answer(principal: Principal, askId: string, decision: 'allow' | 'deny'): Promise<Ask> {
    requireRight(principal, 'approve')
    return this.#asks.answer(askId, decision, principal.name)
  }
}
