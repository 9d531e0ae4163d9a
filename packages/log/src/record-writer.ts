import type { DatabaseSync } from 'node:sqlite'
import type { EncodedData } from './large-values.js'
import { toLogError } from './log-error.js'
import type { Statements } from './statements.js'
import type { AppendOptions, PruneLimits } from './types.js'

/** A record that is ready to be written. */
export interface NewRecord {
  stream: string
  type: string
  time: number
  data: EncodedData
  options: AppendOptions | undefined
}

/** Streams whose names are remembered; more are looked up again. */
const REMEMBERED = 10_000

/** Everything that changes the file of a log, one transaction at a time. */
export class RecordWriter {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #labels: readonly string[]
  readonly #statements: Statements
  #lastSeq: number
  /** First seqs of streams that were written to, so that each record needs no look-up. */
  readonly #ids = new Map<string, number>()

  constructor(db: DatabaseSync, path: string, labels: readonly string[], statements: Statements) {
    this.#db = db
    this.#path = path
    this.#labels = labels
    this.#statements = statements
    this.#lastSeq = Number(statements.lastSeq.get()?.['seq'])
  }

  /** Adds records, all or none. @returns their seqs. @throws LogError `FULL` or `BROKEN` */
  write(records: readonly NewRecord[]): number[] {
    const before = this.#lastSeq
    try {
      return this.#transaction(() => records.map((record) => this.#add(record)))
    } catch (error) {
      this.#lastSeq = before
      throw error
    }
  }

  /**
   * Deletes closed streams, those that were closed first first.
   * @param now milliseconds since the epoch
   * @returns how many. @throws LogError `FULL` or `BROKEN`
   */
  prune({ maxAgeMs = Infinity, maxBytes = Infinity }: PruneLimits, now: number): number {
    this.#ids.clear()
    const { oldestClosed, usedBytes, keepSeq, deleteRecords, deleteValues, deleteStream } = this.#statements
    return this.#transaction(() => {
      for (let count = 0; ; count += 1) {
        const oldest = oldestClosed.get()
        if (oldest === undefined) return count
        const tooOld = now - Number(oldest['closed_at']) >= maxAgeMs
        if (!tooOld && Number(usedBytes.get()?.['bytes']) <= maxBytes) return count
        const firstSeq = Number(oldest['first_seq'])
        for (const statement of [deleteRecords, deleteValues, deleteStream]) statement.run(firstSeq)
        keepSeq.run(this.#lastSeq)
      }
    })
  }

  #add({ stream, type, time, data, options }: NewRecord): number {
    const { addStream, setLabel, setClosed, addRecord, addValue } = this.#statements
    const seq = (this.#lastSeq += 1)
    const known = this.#idOf(stream)
    const id = known ?? seq
    if (known === undefined) {
      const labels = this.#labels.map((label) => options?.labels?.[label] ?? null)
      addStream.run(seq, stream, time, options?.open === false ? time : null, ...labels)
      this.#remember(stream, seq)
    } else {
      for (const label in options?.labels) setLabel.get(label)?.run(options.labels[label] ?? null, id)
      if (options?.open !== undefined) setClosed.run(options.open ? null : time, id)
    }
    for (const [valueId, text] of data.values) addValue.run(id, valueId, text)
    addRecord.run(seq, id, type, time, data.text)
    return seq
  }

  /** What a stream is named by; undefined if there is none yet. */
  #idOf(stream: string): number | undefined {
    const remembered = this.#ids.get(stream)
    if (remembered !== undefined) return remembered
    const found = this.#statements.findStream.get(stream)
    if (found === undefined) return undefined
    const id = Number(found['first_seq'])
    this.#remember(stream, id)
    return id
  }

  #remember(stream: string, id: number): void {
    if (this.#ids.size >= REMEMBERED) this.#ids.clear()
    this.#ids.set(stream, id)
  }

  #transaction<T>(work: () => T): T {
    try {
      this.#statements.begin.run()
      const result = work()
      this.#statements.commit.run()
      return result
    } catch (error) {
      // After some errors SQLite has rolled back by itself.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      this.#ids.clear()
      throw toLogError(error, this.#path)
    }
  }
}
