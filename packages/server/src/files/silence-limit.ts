import { LIMITS, type Clock, type Timer } from '@orrery/aip'

/** Ends what moves nothing for `LIMITS.transferSilence`. It counts from the first {@link SilenceLimit.moved} on. */
export class SilenceLimit {
  readonly #clock: Clock
  readonly #end: () => void
  #timer: Timer | null = null

  /** @param end called once nothing has moved for too long */
  constructor(clock: Clock, end: () => void) {
    this.#clock = clock
    this.#end = end
  }

  /** Something has moved. */
  moved(): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(LIMITS.transferSilence, this.#end)
  }

  /** Counts no longer. */
  stop(): void {
    this.#timer?.cancel()
  }
}
