import type { Clock, Timer } from '@orrery/aip'
import { SERVER_LIMITS } from '../limits.js'

/** The step with which a session records that it was cancelled and cleans up. A session that a restart finds so is not continued. */
export const CLEAN_UP_STEP = 'cancelled'

/** The time in which the agent of a cancelled session cleans up. */
export class CleanUp {
  readonly #stop = new AbortController()
  #timer: Timer | null = null

  /** Aborted when it begins. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Whether the agent has time now. */
  get runs(): boolean {
    return this.#timer !== null
  }

  /** @param expired called when the time is over */
  begin(clock: Clock, expired: () => void): void {
    this.#timer = clock.after(SERVER_LIMITS.cleanUp, expired)
    this.#stop.abort()
  }

  end(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}
