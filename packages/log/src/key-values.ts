import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { CommitQueue } from './commit-queue.js'
import { openFile, pragma } from './database.js'
import { LogError, toLogError } from './log-error.js'

/** One change; a null value deletes the key. */
interface Change {
  bucket: string
  key: string
  /** JSON. */
  value: string | null
}

/** The format of these files. The number is above those of a {@link RecordLog}, so that neither is taken for the other. */
const FORMAT = 1001

/** Milliseconds between two commits: with 10,000 devices that return at once, each commit holds the tokens of several. */
const COMMIT_PAUSE = 8

/**
 * Values by key, in buckets, in one SQLite file. What is set within a few milliseconds is committed together, and can be read at
 * once. One process has the file at a time. Everything but `close` throws `LogError` `CLOSED` after `close`.
 */
export class KeyValues {
  readonly #path: string
  readonly #db: DatabaseSync
  readonly #get: StatementSync
  readonly #entries: StatementSync
  readonly #set: StatementSync
  readonly #delete: StatementSync
  readonly #queue: CommitQueue<Change, void>
  /** What is not committed yet, by bucket and key. */
  readonly #pending = new Map<string, Change>()
  #closing: Promise<void> | null = null

  /**
   * Opens a file, or begins one. Folders and file are made for their owner only.
   * @param path of the file; `:memory:` keeps nothing after the process
   * @param adopt brings a file that something else wrote into this form, in the same transaction
   * @throws LogError `TOO_NEW`, `IN_USE`, `FULL` or `BROKEN`
   */
  constructor(path: string, adopt?: (db: DatabaseSync) => void) {
    this.#path = path
    this.#db = openFile(path, (db) => {
      const format = pragma(db, 'user_version')
      if (format > FORMAT) {
        throw new LogError('TOO_NEW', `${path} was written by a newer version (its format is ${format}, known is ${FORMAT})`)
      }
      if (format === FORMAT) return
      db.exec(
        'CREATE TABLE entries (bucket TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID',
      )
      if (format > 0) adopt?.(db)
      db.exec(`PRAGMA user_version = ${FORMAT}`)
    })
    this.#get = this.#db.prepare('SELECT value FROM entries WHERE bucket = ? AND key = ?')
    this.#entries = this.#db.prepare('SELECT key, value FROM entries WHERE bucket = ? ORDER BY key')
    this.#set = this.#db.prepare('INSERT OR REPLACE INTO entries (bucket, key, value) VALUES (?, ?, ?)')
    this.#delete = this.#db.prepare('DELETE FROM entries WHERE bucket = ? AND key = ?')
    this.#queue = new CommitQueue({ write: (changes) => this.#write(changes) }, COMMIT_PAUSE)
  }

  /** The value of a key; undefined if there is none. @throws LogError */
  get(bucket: string, key: string): unknown {
    this.#assertOpen()
    const pending = this.#pending.get(pendingKey(bucket, key))
    if (pending !== undefined) return pending.value === null ? undefined : JSON.parse(pending.value)
    const row = this.#query(() => this.#get.get(bucket, key))
    return row === undefined ? undefined : JSON.parse(String(row['value']))
  }

  /** All committed keys of a bucket with their values, by key. @throws LogError */
  entries(bucket: string): [key: string, value: unknown][] {
    this.#assertOpen()
    return this.#query(() => this.#entries.all(bucket)).map((row) => [String(row['key']), JSON.parse(String(row['value']))])
  }

  /** Sets a key; settles once that is committed. @throws LogError `FULL` or `BROKEN`, and the value is the one before */
  set(bucket: string, key: string, value: unknown): Promise<void> {
    return this.#change({ bucket, key, value: JSON.stringify(value) })
  }

  /** Deletes a key if it exists; settles once that is committed. @throws LogError as {@link set} */
  delete(bucket: string, key: string): Promise<void> {
    return this.#change({ bucket, key, value: null })
  }

  /** Commits what waits and closes the file. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#queue.drain().then(() => this.#db.close())
    return this.#closing
  }

  #change(change: Change): Promise<void> {
    try {
      this.#assertOpen()
    } catch (error) {
      return Promise.reject(error)
    }
    this.#pending.set(pendingKey(change.bucket, change.key), change)
    return this.#queue.add(change)
  }

  #write(changes: readonly Change[]): void[] {
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      for (const { bucket, key, value } of changes) {
        if (value === null) this.#delete.run(bucket, key)
        else this.#set.run(bucket, key, value)
      }
      this.#db.exec('COMMIT')
      return changes.map(() => {})
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw toLogError(error, this.#path)
    } finally {
      for (const change of changes) {
        const name = pendingKey(change.bucket, change.key)
        if (this.#pending.get(name) === change) this.#pending.delete(name)
      }
    }
  }

  #query<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw toLogError(error, this.#path)
    }
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new LogError('CLOSED', `${this.#path} is closed`)
  }
}

function pendingKey(bucket: string, key: string): string {
  return `${bucket}\n${key}`
}
