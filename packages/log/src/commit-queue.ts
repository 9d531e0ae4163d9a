import { LogError } from './log-error.js'

interface Waiting<T, R> {
  item: T
  resolve: (recorded: R) => void
  reject: (error: LogError) => void
}

/** Where a {@link CommitQueue} writes. */
export interface CommitTarget<T, R> {
  /** Commits items in one transaction and returns what each became, or throws `LogError` and has recorded none. */
  write(items: readonly T[]): R[]
  /** Settles when everything committed before the call survives a power cut. Without it a commit is enough. */
  sync?: (() => Promise<void>) | undefined
}

/**
 * Gathers what is added in one turn of the event loop and commits it together at the end of the turn. With a pause, commits that would
 * follow each other faster are gathered too: a lone item does not wait, and thousands at once share few transactions.
 */
export class CommitQueue<T, R> {
  readonly #target: CommitTarget<T, R>
  /** Milliseconds from one commit to the next. */
  readonly #pause: number
  #waiting: Waiting<T, R>[] = []
  #turn: NodeJS.Immediate | null = null
  #timer: NodeJS.Timeout | null = null
  /** When the last commit ended, by `performance.now()`. */
  #committedAt = -Infinity
  #unsynced: Promise<unknown> = Promise.resolve()
  #failed: LogError | null = null

  /** @param pause milliseconds from one commit to the next */
  constructor(target: CommitTarget<T, R>, pause = 0) {
    this.#target = target
    this.#pause = pause
  }

  /** Adds an item; returns what it became once it is recorded. @throws LogError */
  add(item: T): Promise<R> {
    if (this.#failed !== null) return Promise.reject(this.#failed)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#turn !== null || this.#timer !== null) return
    const rest = this.#pause === 0 ? 0 : this.#committedAt + this.#pause - performance.now()
    if (rest > 0) this.#timer = setTimeout(() => this.commit(), rest)
    else this.#turn = setImmediate(() => this.commit())
  }

  /** Commits what waits, now. */
  commit(): void {
    if (this.#turn !== null) clearImmediate(this.#turn)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#turn = null
    this.#timer = null
    const group = this.#waiting
    if (group.length === 0) return
    this.#waiting = []
    let recorded: R[]
    try {
      recorded = this.#target.write(group.map(({ item }) => item))
    } catch (error) {
      for (const { reject } of group) reject(error as LogError)
      return
    } finally {
      if (this.#pause > 0) this.#committedAt = performance.now()
    }
    const settle = (): void => {
      recorded.forEach((one, index) => group[index]?.resolve(one))
    }
    if (this.#target.sync === undefined) return settle()
    this.#unsynced = this.#target.sync().then(settle, (error: unknown) => {
      // The system may have dropped what it could not write, and a second sync would not report it: nothing is certain from here on.
      this.#failed ??= new LogError('BROKEN', 'The disk could not take what was written; open the log again', { cause: error })
      for (const { reject } of group) reject(this.#failed)
    })
  }

  /** Commits what waits, and settles when everything that was added has settled. */
  async drain(): Promise<void> {
    this.commit()
    await this.#unsynced
  }
}
