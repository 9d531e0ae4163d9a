import { closeSync, fdatasync, openSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { CommitQueue } from './commit-queue.js'
import { openDatabase, pragma } from './database.js'
import { encodeData, resolveData } from './large-values.js'
import { LogError, toLogError } from './log-error.js'
import { RecordWriter, type NewRecord } from './record-writer.js'
import { sharedSync } from './shared-sync.js'
import { prepareStatements, type Statements } from './statements.js'
import { streamQuery } from './stream-query.js'
import type { AppendOptions, LogRecord, PruneLimits, RecordLogOptions, StreamInfo, StreamQuery } from './types.js'

/** How many pages are released to the file system at once; nothing else runs meanwhile. */
const SHRINK_PAGES = 2000

/**
 * Append-only records in one SQLite file, each in a stream. What is appended in one turn of the event loop is committed together
 * at its end. Only one process can have the file open. Everything but `close` throws `LogError` `CLOSED` after `close`.
 */
export class RecordLog {
  readonly #path: string
  readonly #labels: readonly string[]
  readonly #now: () => number
  readonly #inlineBytes: number
  readonly #parse: (text: string) => unknown
  readonly #db: DatabaseSync
  readonly #statements: Statements
  readonly #queries = new Map<string, StatementSync>()
  readonly #writer: RecordWriter
  readonly #queue: CommitQueue<NewRecord, LogRecord>
  /** The write-ahead log's descriptor, when every commit is synced. */
  readonly #wal: number | null
  #closing: Promise<void> | null = null

  private constructor(path: string, options: RecordLogOptions) {
    this.#path = path
    this.#labels = options.labels
    this.#now = options.now ?? Date.now
    this.#inlineBytes = options.inlineBytes ?? 64 * 1024
    this.#parse = options.parse ?? ((text) => JSON.parse(text) as unknown)
    this.#db = openDatabase(path, options)
    this.#statements = prepareStatements(this.#db, options.labels)
    this.#writer = new RecordWriter(this.#db, path, options.labels, this.#statements)
    // SQLite itself would sync on the main thread (synchronous=FULL), which on a slow disk blocks everything else.
    const wal = options.durability === 'full' && path !== ':memory:' ? openSync(`${path}-wal`, 'r+') : null
    this.#wal = wal
    this.#queue = new CommitQueue({
      write: (records) => this.#writer.write(records),
      sync: wal === null ? undefined : sharedSync(() => promisify(fdatasync)(wal)),
    })
  }

  /**
   * Opens a log, or creates one. Folders and file are made for their owner only.
   * @param path of the file; `:memory:` keeps nothing after the process
   * @throws LogError `TOO_NEW`, `IN_USE`, `FULL` or `BROKEN`
   * @throws TypeError for a label that is not `[a-z_]+` or comes twice
   */
  static open(path: string, options: RecordLogOptions): RecordLog {
    for (const label of options.labels) {
      if (!/^[a-z_]+$/.test(label)) throw new TypeError(`Invalid label '${label}': must be [a-z_]+`)
    }
    if (new Set(options.labels).size !== options.labels.length) throw new TypeError('A label comes twice')
    return new RecordLog(path, options)
  }

  /**
   * Adds a record. The data is read at once, so it may be changed afterwards.
   * @returns the record as it is stored, once it is
   * @throws LogError `FULL` or `BROKEN`: nothing of this turn was recorded; later appends may succeed
   * @throws TypeError when the data cannot be JSON or a label is unknown
   */
  append(stream: string, type: string, data: unknown, options?: AppendOptions): Promise<LogRecord> {
    // Not an async function: records are many, and each would take two promises more.
    try {
      return this.#queue.add(this.#newRecord(stream, type, data, options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The committed records of a stream after `afterSeq`, in order. Large values are references; see `resolve`. */
  read(stream: string, afterSeq = 0): LogRecord[] {
    return this.#query(() => this.#statements.readRecords.all(stream, afterSeq)).map((row) => ({
      seq: Number(row['seq']),
      stream,
      type: String(row['type']),
      time: Number(row['time']),
      data: this.#parse(String(row['data'])),
    }))
  }

  /** What is known of a stream; `undefined` if it has no records. */
  stream(stream: string): StreamInfo | undefined {
    const row = this.#query(() => this.#statements.readStream.get(stream))
    return row === undefined ? undefined : this.#streamInfo(row)
  }

  /** Lists streams. @throws TypeError for an unknown label */
  streams(query: StreamQuery = {}): StreamInfo[] {
    this.#assertLabels(query.labels)
    const { sql, values } = streamQuery(query)
    return this.#query(() => this.#prepared(sql).all(...values)).map((row) => this.#streamInfo(row))
  }

  /**
   * A value that was stored out of line, by the `$value` of its reference; `undefined` when it was deleted.
   * @param stream only if a record of this stream refers to it
   */
  value(id: string, stream?: string): unknown {
    const { readValue, readOwnValue } = this.#statements
    const row = this.#query(() => (stream === undefined ? readValue.get(id) : readOwnValue.get(stream, id)))
    return row === undefined ? undefined : this.#parse(String(row['data']))
  }

  /** A record's data with the references to large values replaced by the values. Deleted values stay references. */
  resolve(data: unknown): unknown {
    return resolveData(data, (id) => this.value(id))
  }

  /** Size of what is kept, in bytes. */
  get bytes(): number {
    return Number(this.#query(() => this.#statements.usedBytes.get())?.['bytes'])
  }

  /**
   * Deletes closed streams with their records and values, oldest first. Commits pending appends before.
   * @returns how many streams
   * @throws LogError `FULL` or `BROKEN`, and nothing was deleted
   */
  prune(limits: PruneLimits): number {
    this.#assertOpen()
    this.#queue.commit()
    const count = this.#writer.prune(limits, this.#now())
    if (count > 0) this.#shrink()
    return count
  }

  /** Records pending appends and closes the file. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#queue.drain().then(() => {
      if (this.#wal !== null) closeSync(this.#wal)
      this.#db.close()
    })
    return this.#closing
  }

  #newRecord(stream: string, type: string, data: unknown, options: AppendOptions | undefined): NewRecord {
    this.#assertOpen()
    this.#assertLabels(options?.labels)
    const time = this.#now()
    const summary = options?.summary === undefined ? null : JSON.stringify(options.summary(time))
    return { stream, type, time, data: encodeData(data, this.#inlineBytes), summary, options }
  }

  /** Releases space to the file system when it is worth the copying; free pages are used again in any case. */
  #shrink(): void {
    if (pragma(this.#db, 'freelist_count') * 4 < pragma(this.#db, 'page_count')) return
    try {
      this.#db.exec(`PRAGMA incremental_vacuum(${SHRINK_PAGES})`)
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

  #streamInfo(row: Record<string, unknown>): StreamInfo {
    return {
      stream: String(row['stream']),
      open: row['closed_at'] === null,
      firstSeq: Number(row['first_seq']),
      createdAt: Number(row['created_at']),
      labels: Object.fromEntries(this.#labels.map((label) => [label, (row[`label_${label}`] ?? null) as string | null])),
      summary: typeof row['summary'] === 'string' ? JSON.parse(row['summary']) : null,
    }
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new LogError('CLOSED', `${this.#path} is closed`)
  }

  #assertLabels(labels: Record<string, string | null> | undefined): void {
    for (const label in labels) if (!this.#labels.includes(label)) throw new TypeError(`Unknown label '${label}'`)
  }
}
