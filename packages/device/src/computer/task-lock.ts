/** Lets one piece of work run at a time, in the order in which it was given. */
export class TaskLock {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `work` when all work before it has ended, and gives what it gives or throws. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.then(
      () => {},
      () => {},
    )
    return result
  }
}
