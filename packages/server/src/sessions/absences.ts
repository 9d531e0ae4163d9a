import type { Clock, Timer } from '@orrery/aip'

/** Clients that have dropped and may return, each with a time limit. */
export class Absences {
  readonly #clock: Clock
  readonly #graceMs: number
  readonly #over: (clientId: string) => void
  readonly #timers = new Map<string, Timer>()

  /** @param over called when a client has not returned within its time, which starts at {@link begin} */
  constructor(clock: Clock, graceMs: number, over: (clientId: string) => void) {
    this.#clock = clock
    this.#graceMs = graceMs
    this.#over = over
  }

  /** Notes that the client is away; its time restarts. */
  begin(clientId: string): void {
    this.end(clientId)
    const timer = this.#clock.after(this.#graceMs, () => {
      this.#timers.delete(clientId)
      this.#over(clientId)
    })
    this.#timers.set(clientId, timer)
  }

  /** Notes that the client is back. @returns whether it was away */
  end(clientId: string): boolean {
    this.#timers.get(clientId)?.cancel()
    return this.#timers.delete(clientId)
  }

  has(clientId: string): boolean {
    return this.#timers.has(clientId)
  }

  /** Stops all timers. */
  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel()
  }
}
