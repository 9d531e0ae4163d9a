import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeFolder } from './make-folder.js'
import { LogError, toLogError } from './log-error.js'
import type { RecordLogOptions } from './types.js'

/** What brings a file from version i to i + 1. Never change an entry: existing files were made by it. */
const UPGRADES: readonly string[] = [
  `
  CREATE TABLE streams (
    first_seq INTEGER PRIMARY KEY, -- seq of the first record, and with it the stream's own id
    stream TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    closed_at INTEGER -- null while open
  );
  CREATE INDEX streams_open ON streams (first_seq) WHERE closed_at IS NULL;
  CREATE INDEX streams_closed ON streams (closed_at) WHERE closed_at IS NOT NULL;
  CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    type TEXT NOT NULL,
    time INTEGER NOT NULL,
    data TEXT NOT NULL
  );
  CREATE INDEX records_stream ON records (stream);
  CREATE TABLE log_values (
    stream INTEGER NOT NULL,
    id TEXT NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (stream, id)
  );
  CREATE INDEX log_values_id ON log_values (id);
  -- The highest seq that a pruned record had: no seq is given twice.
  CREATE TABLE pruned (seq INTEGER NOT NULL);
  INSERT INTO pruned VALUES (0);
  `,
  // An index by stream has a place for each stream, and so a page to write for each record of a commit. A chain through the records
  // has none: they all go to the end of one table, and the ends of many streams fit into one page.
  `
  CREATE TABLE chained (
    seq INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    previous INTEGER NOT NULL, -- seq of the stream's record before, 0 for its first
    type TEXT NOT NULL,
    time INTEGER NOT NULL,
    data TEXT NOT NULL
  );
  INSERT INTO chained
    SELECT seq, stream, lag(seq, 1, 0) OVER (PARTITION BY stream ORDER BY seq), type, time, data FROM records ORDER BY seq;
  CREATE TABLE ends (
    stream INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL -- where the chain of the stream begins
  );
  INSERT INTO ends SELECT stream, max(seq) FROM records GROUP BY stream;
  DROP TABLE records;
  ALTER TABLE chained RENAME TO records;
  `,
  // What lists show of a stream, as JSON: they need not read its records.
  'ALTER TABLE streams ADD COLUMN summary TEXT',
]

/**
 * Opens the file of a log and brings it to this version.
 * @throws LogError `TOO_NEW`, `IN_USE`, `FULL` or `BROKEN`
 */
export function openDatabase(path: string, options: Pick<RecordLogOptions, 'labels' | 'maxFileBytes'>): DatabaseSync {
  const db = openFile(path, (file) => {
    upgrade(file, path)
    addLabels(file, options.labels)
  })
  if (options.maxFileBytes !== undefined) {
    db.exec(`PRAGMA max_page_count = ${Math.ceil(options.maxFileBytes / pragma(db, 'page_size'))}`)
  }
  return db
}

/**
 * Opens a file for one process. Folders and the file are made if missing, for their owner only.
 * @param prepare makes or upgrades its tables, in one transaction
 * @throws LogError `TOO_NEW`, `IN_USE`, `FULL` or `BROKEN`
 */
export function openFile(path: string, prepare: (db: DatabaseSync) => void): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    if (path !== ':memory:') createFile(path)
    db = new DatabaseSync(path)
    // Exclusive: a second process gets "busy", and the lock goes with the process, however that ends.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL')
    // The write-ahead log stays as large as its largest transaction unless it is made to shrink.
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${16 * 1024 * 1024}`)
    db.exec('BEGIN IMMEDIATE')
    prepare(db)
    db.exec('COMMIT')
    if (path !== ':memory:') noteOwner(path)
    return db
  } catch (error) {
    db?.close()
    throw toLogError(error, path, ownerOf(path))
  }
}

/** Records beside a file which process has it open, for the error of the next one; it stays when that process ends. */
function noteOwner(path: string): void {
  try {
    writeFileSync(`${path}.pid`, `${process.pid}\n`, { mode: 0o600 })
  } catch {
    // The lock is what counts.
  }
}

function ownerOf(path: string): number | null {
  try {
    const pid = Number(readFileSync(`${path}.pid`, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : null
  } catch {
    return null
  }
}

/** The number that a PRAGMA gives. */
export function pragma(db: DatabaseSync, name: 'page_size' | 'page_count' | 'freelist_count' | 'user_version'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name])
}

function createFile(path: string): void {
  makeFolder(dirname(path))
  try {
    // Never opened when it exists: closing a file drops all locks that this process has on it.
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

function upgrade(db: DatabaseSync, path: string): void {
  const version = pragma(db, 'user_version')
  if (version > UPGRADES.length) {
    throw new LogError(
      'TOO_NEW',
      `${path} was written by a newer version (its format is ${version}, known is ${UPGRADES.length})`,
    )
  }
  for (const statements of UPGRADES.slice(version)) db.exec(statements)
  db.exec(`PRAGMA user_version = ${UPGRADES.length}`)
}

function addLabels(db: DatabaseSync, labels: readonly string[]): void {
  const columns = new Set(
    db
      .prepare('PRAGMA table_info(streams)')
      .all()
      .map((column) => column['name']),
  )
  for (const label of labels) {
    if (columns.has(`label_${label}`)) continue
    db.exec(`ALTER TABLE streams ADD COLUMN label_${label} TEXT`)
    db.exec(`CREATE INDEX streams_label_${label} ON streams (label_${label})`)
  }
}
