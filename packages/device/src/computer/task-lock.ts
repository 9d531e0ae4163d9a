/** Lets one piece of work, or as many as it is wide, run at a time, in the order in which it was given. */
export class TaskLock {
  readonly #waiting: (() => void)[] = []
  #free: number

  /** @param width how much work may run at once */
  constructor(width = 1) {
    this.#free = width
  }

  /** Runs `work` when it is its turn, and gives what it gives or throws. */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // The turn is handed on, so that nothing that comes now gets ahead of what waits.
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}
