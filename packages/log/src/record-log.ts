import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { openDatabase, pragma } from './database.js'
import { encodeData, resolveData, type EncodedData } from './large-values.js'
import { LogError, toLogError } from './log-error.js'
import { prepareStatements, type Statements } from './statements.js'
import type { AppendOptions, LogRecord, PruneLimits, StreamInfo, StreamQuery } from './types.js'

/** How a log is opened. */
export interface RecordLogOptions {
  /** What streams are looked up by: `[a-z_]+`. Each is an indexed column. */
  labels: readonly string[]
  /** `normal` survives a killed process, `full` a power cut too. Default `normal`. */
  durability?: 'normal' | 'full'
  /** Milliseconds since the epoch. Default the system's clock. */
  now?: () => number
  /** JSON of a value above this many bytes is stored out of line. Default 64 KiB. */
  inlineBytes?: number
  /** Largest size of the file; beyond it appends fail with `FULL`. Default: what the disk holds. */
  maxFileBytes?: number
}

/** One record to be appended. */
export interface LogEntry extends AppendOptions {
  stream: string
  type: string
  data: unknown
}

interface Pending {
  stream: string
  type: string
  time: number
  encoded: EncodedData
  options: AppendOptions | undefined
  resolve: (seq: number) => void
  reject: (error: LogError) => void
  seq: number
}

type Row = Record<string, unknown>

/**
 * Append-only records in one SQLite file, each in a stream. What is appended in one turn of the event loop is committed together
 * at its end. One process has the file at a time. Every method throws `LogError` `CLOSED` after `close`.
 */
export class RecordLog {
  readonly #path: string
  readonly #labels: readonly string[]
  readonly #now: () => number
  readonly #inlineBytes: number
  readonly #db: DatabaseSync
  readonly #statements: Statements
  readonly #queries = new Map<string, StatementSync>()
  #pending: Pending[] = []
  #scheduled: NodeJS.Immediate | null = null
  #lastSeq: number
  #closed = false

  private constructor(path: string, db: DatabaseSync, options: RecordLogOptions) {
    this.#path = path
    this.#db = db
    this.#labels = options.labels
    this.#now = options.now ?? Date.now
    this.#inlineBytes = options.inlineBytes ?? 64 * 1024
    this.#statements = prepareStatements(db, options.labels)
    this.#lastSeq = Number(this.#statements.lastSeq.get()?.['seq'])
  }

  /**
   * Opens a log, or begins one. Folders and file are made for their owner only.
   * @param path of the file; `:memory:` keeps nothing after the process
   * @throws LogError `TOO_NEW`, `IN_USE`, `FULL` or `BROKEN`
   * @throws TypeError for a label that is not `[a-z_]+` or comes twice
   */
  static open(path: string, options: RecordLogOptions): RecordLog {
    const { labels, durability = 'normal', maxFileBytes } = options
    for (const label of labels) if (!/^[a-z_]+$/.test(label)) throw new TypeError(`Invalid label '${label}': must be [a-z_]+`)
    if (new Set(labels).size !== labels.length) throw new TypeError('A label comes twice')
    return new RecordLog(path, openDatabase(path, { labels, durability, maxFileBytes }), options)
  }

  /**
   * Adds a record. The data is read at once, so it may be changed afterwards.
   * @returns its seq, once it is committed
   * @throws LogError `FULL` or `BROKEN`: nothing of this turn was recorded; later appends may succeed. TypeError when the data
   * cannot be JSON or a label is unknown
   */
  async append(stream: string, type: string, data: unknown, options?: AppendOptions): Promise<number> {
    this.#assertOpen()
    this.#assertLabels(options?.labels)
    return this.#enqueue(stream, type, encodeData(data, this.#inlineBytes), options)
  }

  /** Adds records, all or none. @returns their seqs, in order. @throws as `append` does */
  async appendAll(entries: readonly LogEntry[]): Promise<number[]> {
    this.#assertOpen()
    for (const { labels } of entries) this.#assertLabels(labels)
    const encoded = entries.map((entry) => encodeData(entry.data, this.#inlineBytes))
    // What is queued in one turn is one transaction.
    return Promise.all(
      encoded.map((data, index) => {
        const entry = entries[index] as LogEntry
        return this.#enqueue(entry.stream, entry.type, data, entry)
      }),
    )
  }

  /** The committed records of a stream after `afterSeq`, in order. Large values are references; see `resolve`. */
  read(stream: string, afterSeq = 0): LogRecord[] {
    return this.#query(() =>
      this.#statements.readRecords.all(stream, afterSeq).map((row) => ({
        seq: Number(row['seq']),
        stream,
        type: String(row['type']),
        time: Number(row['time']),
        data: JSON.parse(String(row['data'])),
      })),
    )
  }

  stream(stream: string): StreamInfo | undefined {
    const row = this.#query(() => this.#statements.readStream.get(stream))
    return row === undefined ? undefined : this.#streamInfo(row)
  }

  /** @throws TypeError for an unknown label */
  streams(query: StreamQuery = {}): StreamInfo[] {
    this.#assertLabels(query.labels)
    const labels = Object.entries(query.labels ?? {})
    const conditions = labels.map(([label]) => `label_${label} = ?`)
    const values: (string | number)[] = labels.map(([, value]) => value)
    if (query.open !== undefined) conditions.push(`closed_at IS ${query.open ? '' : 'NOT '}NULL`)
    if (query.before !== undefined) {
      conditions.push('first_seq < (SELECT first_seq FROM streams WHERE stream = ?)')
      values.push(query.before)
    }
    values.push(query.limit ?? -1)
    // Few streams are open at a time; the planner does not know that.
    const source = query.open === true ? 'streams INDEXED BY streams_open' : 'streams'
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const order = query.newestFirst === true ? 'DESC' : 'ASC'
    const sql = `SELECT * FROM ${source} ${where} ORDER BY first_seq ${order} LIMIT ?`
    return this.#query(() =>
      this.#prepared(sql)
        .all(...values)
        .map((row) => this.#streamInfo(row)),
    )
  }

  /** A value that was stored out of line, by the `$value` of its reference; `undefined` when it is gone. */
  value(id: string): unknown {
    const row = this.#query(() => this.#statements.readValue.get(id))
    return row === undefined ? undefined : JSON.parse(String(row['data']))
  }

  /** A record's data with the references to large values replaced by the values. Values that are gone stay references. */
  resolve(data: unknown): unknown {
    return resolveData(data, (id) => this.value(id))
  }

  /** Size of what is kept, in bytes. */
  get bytes(): number {
    return this.#query(() => Number(this.#statements.usedBytes.get()?.['bytes']))
  }

  /**
   * Deletes closed streams with their records and values, those that were closed first first. Commits what waits before.
   * @returns how many streams
   * @throws LogError `FULL` or `BROKEN`, and nothing was deleted
   */
  prune(limits: PruneLimits): number {
    this.#assertOpen()
    this.#commit()
    const closedBy = limits.maxAgeMs === undefined ? -1 : this.#now() - limits.maxAgeMs
    const maxBytes = limits.maxBytes ?? Infinity
    let count = 0
    this.#transaction(() => {
      for (;;) {
        const row = this.#statements.oldestClosed.get()
        if (row === undefined || (Number(row['closed_at']) > closedBy && this.bytes <= maxBytes)) break
        if (count === 0) this.#statements.keepSeq.run(this.#lastSeq)
        const firstSeq = Number(row['first_seq'])
        this.#statements.deleteRecords.run(firstSeq)
        this.#statements.deleteValues.run(firstSeq)
        this.#statements.deleteStream.run(firstSeq)
        count += 1
      }
    })
    if (count > 0) this.#shrink()
    return count
  }

  /** Commits what waits and closes the file. May be called again. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#commit()
    this.#closed = true
    this.#db.close()
  }

  #enqueue(stream: string, type: string, encoded: EncodedData, options: AppendOptions | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ stream, type, time: this.#now(), encoded, options, resolve, reject, seq: 0 })
      this.#scheduled ??= setImmediate(() => this.#commit())
    })
  }

  #commit(): void {
    if (this.#scheduled !== null) clearImmediate(this.#scheduled)
    this.#scheduled = null
    const group = this.#pending
    if (group.length === 0) return
    this.#pending = []
    const lastSeq = this.#lastSeq
    try {
      this.#transaction(() => {
        for (const pending of group) this.#write(pending)
      })
    } catch (error) {
      this.#lastSeq = lastSeq
      const failure = toLogError(error, this.#path)
      for (const pending of group) pending.reject(failure)
      return
    }
    for (const pending of group) pending.resolve(pending.seq)
  }

  #write(pending: Pending): void {
    const { stream, type, time, encoded, options } = pending
    const { findStream, addStream, setLabel, setClosed, addRecord, addValue } = this.#statements
    const seq = (this.#lastSeq += 1)
    const found = findStream.get(stream)
    let id = seq
    if (found === undefined) {
      const labels = this.#labels.map((label) => options?.labels?.[label] ?? null)
      addStream.run(seq, stream, time, options?.open === false ? time : null, ...labels)
    } else {
      id = Number(found['first_seq'])
      for (const [label, value] of Object.entries(options?.labels ?? {})) setLabel.get(label)?.run(value, id)
      if (options?.open !== undefined) setClosed.run(options.open ? null : time, id)
    }
    for (const [valueId, text] of encoded.values) addValue.run(id, valueId, text)
    addRecord.run(seq, id, type, time, encoded.text)
    pending.seq = seq
  }

  #transaction(work: () => void): void {
    try {
      this.#statements.begin.run()
      work()
      this.#statements.commit.run()
    } catch (error) {
      // SQLite has rolled back by itself after some errors.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw toLogError(error, this.#path)
    }
  }

  /** Gives room back to the file system when it is worth the copying; free pages are used again in any case. */
  #shrink(): void {
    if (pragma(this.#db, 'freelist_count') * 4 < pragma(this.#db, 'page_count')) return
    try {
      this.#db.exec('PRAGMA incremental_vacuum')
    } catch {
      // Only tidying, which itself needs some room: the next pruning tries again.
    }
  }

  #query<T>(work: () => T): T {
    this.#assertOpen()
    try {
      return work()
    } catch (error) {
      throw toLogError(error, this.#path)
    }
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#queries.get(sql)
    if (statement === undefined) this.#queries.set(sql, (statement = this.#db.prepare(sql)))
    return statement
  }

  #streamInfo(row: Row): StreamInfo {
    return {
      stream: String(row['stream']),
      open: row['closed_at'] === null,
      firstSeq: Number(row['first_seq']),
      createdAt: Number(row['created_at']),
      labels: Object.fromEntries(this.#labels.map((label) => [label, (row[`label_${label}`] ?? null) as string | null])),
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new LogError('CLOSED', `${this.#path} is closed`)
  }

  #assertLabels(labels: Record<string, string | null> | undefined): void {
    for (const label in labels) if (!this.#labels.includes(label)) throw new TypeError(`Unknown label '${label}'`)
  }
}
