import { LogError } from './log-error.js'

interface Waiting<T> {
  item: T
  resolve: (seq: number) => void
  reject: (error: LogError) => void
}

/** Where a {@link CommitQueue} writes. */
export interface CommitTarget<T> {
  /** Commits items in one transaction and gives their seqs, or throws `LogError` and has recorded none. */
  write(items: readonly T[]): number[]
  /** Settles when everything committed before the call survives a power cut. Without it a commit is enough. */
  sync?: (() => Promise<void>) | undefined
}

/** Gathers what is added in one turn of the event loop and commits it together at the end of the turn. */
export class CommitQueue<T> {
  readonly #target: CommitTarget<T>
  #waiting: Waiting<T>[] = []
  #turn: NodeJS.Immediate | null = null
  #unsynced: Promise<unknown> = Promise.resolve()
  #failed: LogError | null = null

  constructor(target: CommitTarget<T>) {
    this.#target = target
  }

  /** Adds an item; settles once it is recorded. @throws LogError */
  add(item: T): Promise<number> {
    if (this.#failed !== null) return Promise.reject(this.#failed)
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.#waiting.push({ item, resolve, reject })
    this.#turn ??= setImmediate(() => this.commit())
    return promise
  }

  /** Commits what waits, now. */
  commit(): void {
    if (this.#turn !== null) clearImmediate(this.#turn)
    this.#turn = null
    const group = this.#waiting
    if (group.length === 0) return
    this.#waiting = []
    let seqs: number[]
    try {
      seqs = this.#target.write(group.map(({ item }) => item))
    } catch (error) {
      for (const { reject } of group) reject(error as LogError)
      return
    }
    const settle = (): void => {
      for (const [index, { resolve }] of group.entries()) resolve(seqs[index] ?? 0)
    }
    if (this.#target.sync === undefined) return settle()
    this.#unsynced = this.#target.sync().then(settle, (error: unknown) => {
      // The system may have dropped what it could not write, and a second sync would not tell: nothing is sure from here on.
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
