import type { DatabaseSync } from 'node:sqlite'
import type { EncodedData } from './large-values.js'
import { toLogError } from './log-error.js'
import type { Statements } from './statements.js'
import type { AppendOptions, LogRecord, PruneLimits } from './types.js'

/** A record that is ready to be written. */
export interface NewRecord {
  stream: string
  type: string
  time: number
  data: EncodedData
  /** As JSON; null leaves what is there. */
  summary: string | null
  options: AppendOptions | undefined
}

/** Where a stream is in the file: its first seq names it, its last record is where the next one is chained to. */
interface Position {
  readonly id: number
  lastSeq: number
}

/** Streams that are remembered; more are looked up again. */
const REMEMBERED = 10_000

/** Everything that changes the file of a log, one transaction at a time. */
export class RecordWriter {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #labels: readonly string[]
  readonly #statements: Statements
  #lastSeq: number
  /** Streams that were written to, so that each record needs no look-up. */
  readonly #positions = new Map<string, Position>()

  constructor(db: DatabaseSync, path: string, labels: readonly string[], statements: Statements) {
    this.#db = db
    this.#path = path
    this.#labels = labels
    this.#statements = statements
    this.#lastSeq = Number(statements.lastSeq.get()?.['seq'])
  }

  /** Adds records, all or none. @returns them as they are stored. @throws LogError `FULL` or `BROKEN` */
  write(records: readonly NewRecord[]): LogRecord[] {
    const before = this.#lastSeq
    if (this.#positions.size >= REMEMBERED) this.#positions.clear()
    try {
      return this.#transaction(() => {
        const grown = new Set<Position>()
        const stored = records.map((record) => this.#add(record, grown))
        for (const { id, lastSeq } of grown) this.#statements.setEnd.run(lastSeq, id)
        return stored
      })
    } catch (error) {
      this.#lastSeq = before
      throw error
    }
  }

  /**
   * Deletes closed streams, oldest first.
   * @param now milliseconds since the epoch
   * @returns how many. @throws LogError `FULL` or `BROKEN`
   */
  prune({ maxAgeMs = Infinity, maxBytes = Infinity, maxStreams = Infinity }: PruneLimits, now: number): number {
    this.#positions.clear()
    const { oldestClosed, usedBytes, keepSeq, deleteRecords, deleteValues, deleteEnd, deleteStream } = this.#statements
    return this.#transaction(() => {
      for (let count = 0; ; count += 1) {
        const oldest = count < maxStreams ? oldestClosed.get() : undefined
        if (oldest === undefined) return count
        const tooOld = now - Number(oldest['closed_at']) >= maxAgeMs
        if (!tooOld && Number(usedBytes.get()?.['bytes']) <= maxBytes) return count
        const firstSeq = Number(oldest['first_seq'])
        for (const statement of [deleteRecords, deleteValues, deleteEnd, deleteStream]) statement.run(firstSeq)
        keepSeq.run(this.#lastSeq)
      }
    })
  }

  /** @param grown takes the stream if its end is not written yet */
  #add({ stream, type, time, data, summary, options }: NewRecord, grown: Set<Position>): LogRecord {
    const { addStream, addEnd, setLabel, setClosed, setSummary, addRecord, addValue } = this.#statements
    const seq = (this.#lastSeq += 1)
    let position = this.#positionOf(stream)
    const previous = position?.lastSeq ?? 0
    if (position === undefined) {
      const labels = this.#labels.map((label) => options?.labels?.[label] ?? null)
      addStream.run(seq, stream, time, options?.open === false ? time : null, summary, ...labels)
      addEnd.run(seq, seq)
      position = { id: seq, lastSeq: seq }
      this.#positions.set(stream, position)
    } else {
      for (const label in options?.labels) setLabel.get(label)?.run(options.labels[label] ?? null, position.id)
      if (summary !== null) setSummary.run(summary, position.id)
      if (options?.open !== undefined) setClosed.run(options.open ? null : time, position.id)
      position.lastSeq = seq
      grown.add(position)
    }
    for (const [valueId, text] of data.values) addValue.run(position.id, valueId, text)
    addRecord.run(seq, position.id, previous, type, time, data.text)
    return { seq, stream, type, time, data: data.stored }
  }

  /** Where a stream is; undefined if there is none yet. */
  #positionOf(stream: string): Position | undefined {
    const remembered = this.#positions.get(stream)
    if (remembered !== undefined) return remembered
    const found = this.#statements.findStream.get(stream)
    if (found === undefined) return undefined
    const position = { id: Number(found['first_seq']), lastSeq: Number(found['last_seq']) }
    this.#positions.set(stream, position)
    return position
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
      this.#positions.clear()
      throw toLogError(error, this.#path)
    }
  }
}
