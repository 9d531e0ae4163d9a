/** Lets work that must not overlap take turns. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs work when everything before it has ended. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }
}
