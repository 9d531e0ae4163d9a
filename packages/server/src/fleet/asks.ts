import type { Ask, AskAnswer } from '@orrery/aip/api'
import { requireRight, type Principal } from '../identity/principal.js'
import type { Asks } from '../sessions/asks.js'
import type { Feed } from '../store/feed.js'

/** Calls that wait on their devices for approval. */
export class FleetAsks {
  readonly #asks: Asks
  readonly #feed: Feed

  constructor(asks: Asks, feed: Feed) {
    this.#asks = asks
    this.#feed = feed
  }

  /** Lists the waiting calls, oldest first. */
  list(principal: Principal): { asks: Ask[]; position: string } {
    requireRight(principal, 'read')
    return { asks: this.#asks.list(), position: this.#feed.position() }
  }

  /** Returns a waiting call; undefined if it does not wait, or no longer does. */
  get(principal: Principal, askId: string): Ask | undefined {
    requireRight(principal, 'read')
    return this.#asks.get(askId)
  }

  /**
   * Allows or denies a call, once.
   * @throws AipError `ASK_NOT_FOUND`, `ASK_DIFFERS` if something else was shown, `DEVICE_OFFLINE` if the device cannot be reached
   */
  answer(principal: Principal, askId: string, answer: AskAnswer): Promise<Ask> {
    requireRight(principal, 'approve')
    return this.#asks.answer(askId, answer, principal.name)
  }
}
