import type { Clock, Timer } from '@orrery/aip'

interface Pending {
  at: number
  callback: () => void
}

/** A clock that moves only when a test says so. Real sockets and processes are not affected. */
export class ManualClock implements Clock {
  #now: number
  readonly #pending = new Set<Pending>()

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): Timer {
    const entry: Pending = { at: this.#now + ms, callback }
    this.#pending.add(entry)
    return { cancel: () => void this.#pending.delete(entry) }
  }

  wake(ms: number, callback: () => void): Timer {
    return this.after(ms, callback)
  }

  /** Number of timers that are set. */
  get pending(): number {
    return this.#pending.size
  }

  /** The waits that are set, in milliseconds from now, shortest first. */
  get waits(): number[] {
    return [...this.#pending].map((entry) => entry.at - this.#now).sort((a, b) => a - b)
  }

  /** Moves time on by `ms`, firing each timer at its moment, and lets what it started run until it next waits. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const next = [...this.#pending].filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.at)
      this.#pending.delete(next)
      next.callback()
      await settle()
    }
    this.#now = end
    await settle()
  }
}

/** Lets all promises that are ready run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
