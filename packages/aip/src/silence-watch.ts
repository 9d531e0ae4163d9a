import type { Clock, Timer } from './clock.js'

/** Detects silence. It counts from the first {@link SilenceWatch.heard} on. */
export class SilenceWatch {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #silent: () => void
  #heardAt = 0
  #timer: Timer | null = null
  #over = false

  /** @param limitMs how long silence may last @param silent called once, when it has lasted that long */
  constructor(clock: Clock, limitMs: number, silent: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#silent = silent
  }

  /** Notes a sign of life. */
  heard(): void {
    this.#heardAt = this.#clock.now()
    // One timer serves many signs of life: it checks the last one when it fires.
    if (this.#timer === null && !this.#over) this.#wait(this.#limitMs)
  }

  /** Stops watching, permanently. */
  stop(): void {
    this.#over = true
    this.#timer?.cancel()
  }

  #wait(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      const left = this.#heardAt + this.#limitMs - this.#clock.now()
      if (left > 0) return this.#wait(left)
      this.#over = true
      this.#silent()
    })
  }
}
