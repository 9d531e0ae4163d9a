import { LIMITS, type Clock, type Timer } from '@orrery/aip'
import type { ProgressReport } from './batch-runner.js'

/** In milliseconds. */
const SECOND = 1000

/** Passes on the progress of one batch as fast as a person can read it; a tool may report each byte. */
export class ProgressPacer {
  readonly #clock: Clock
  readonly #send: (report: ProgressReport) => void
  #since = -Infinity
  #sent = 0
  /** The newest report that was held back. */
  #waiting: ProgressReport | null = null
  #timer: Timer | null = null

  constructor(clock: Clock, send: (report: ProgressReport) => void) {
    this.#clock = clock
    this.#send = send
  }

  report(report: ProgressReport): void {
    const now = this.#clock.now()
    if (now >= this.#since + SECOND) {
      this.#since = now
      this.#sent = 0
    }
    if (this.#sent < LIMITS.progressReports) {
      this.#sent += 1
      return this.#send(report)
    }
    this.#waiting = report
    this.#timer ??= this.#clock.after(this.#since + SECOND - now, () => {
      const newest = this.#waiting
      this.#stopWaiting()
      if (newest !== null) this.report(newest)
    })
  }

  /** The batch has ended: sends what waits, now. */
  flush(): void {
    const newest = this.#waiting
    this.#stopWaiting()
    if (newest !== null) this.#send(newest)
  }

  #stopWaiting(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#waiting = null
  }
}
