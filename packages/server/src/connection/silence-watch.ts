import type { Clock, Timer } from '@orrery/aip'

/** Notices when nothing was heard for a while. */
export class SilenceWatch {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #silent: () => void
  #heardAt: number
  #timer: Timer | null = null

  /** @param limitMs how long silence may last @param silent called once, when it lasted longer */
  constructor(clock: Clock, limitMs: number, silent: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#silent = silent
    this.#heardAt = clock.now()
    this.#wait(limitMs)
  }

  /** Something was heard. */
  heard(): void {
    this.#heardAt = this.#clock.now()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #wait(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      const left = this.#heardAt + this.#limitMs - this.#clock.now()
      if (left > 0) this.#wait(left)
      else this.#silent()
    })
  }
}
