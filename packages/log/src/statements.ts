import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** The statements of a log, prepared once. Streams are named by their first seq. */
export interface Statements {
  begin: StatementSync
  commit: StatementSync
  lastSeq: StatementSync
  findStream: StatementSync
  /** Values: first seq, stream, time, closed at, summary, then the labels in their order. */
  addStream: StatementSync
  setLabel: ReadonlyMap<string, StatementSync>
  setClosed: StatementSync
  setSummary: StatementSync
  addEnd: StatementSync
  setEnd: StatementSync
  addRecord: StatementSync
  addValue: StatementSync
  readRecords: StatementSync
  readStream: StatementSync
  readValue: StatementSync
  /** Values: stream, id. */
  readOwnValue: StatementSync
  usedBytes: StatementSync
  /** The closed stream that was closed first. */
  oldestClosed: StatementSync
  deleteStream: StatementSync
  deleteEnd: StatementSync
  deleteRecords: StatementSync
  deleteValues: StatementSync
  keepSeq: StatementSync
}

/**
 * The records of one stream, the last first, by the chain through them.
 * @param stream its first seq, in SQL
 * @param after only those with a higher seq, in SQL
 */
const chainOf = (stream: string, after: string): string => `
  WITH RECURSIVE chain AS (
    SELECT * FROM records WHERE seq = (SELECT last_seq FROM ends WHERE stream = ${stream}) AND seq > ${after}
    UNION ALL
    SELECT records.* FROM chain JOIN records ON records.seq = chain.previous WHERE chain.previous > ${after}
  )`

export function prepareStatements(db: DatabaseSync, labels: readonly string[]): Statements {
  const columns = labels.map((label) => `, label_${label}`).join('')
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    lastSeq: db.prepare('SELECT max((SELECT coalesce(max(seq), 0) FROM records), (SELECT max(seq) FROM pruned)) AS seq'),
    findStream: db.prepare(
      'SELECT first_seq, last_seq FROM streams JOIN ends ON ends.stream = first_seq WHERE streams.stream = ?',
    ),
    addStream: db.prepare(
      `INSERT INTO streams (first_seq, stream, created_at, closed_at, summary${columns}) VALUES (?, ?, ?, ?, ?${', ?'.repeat(labels.length)})`,
    ),
    setLabel: new Map(
      labels.map((label) => [label, db.prepare(`UPDATE streams SET label_${label} = ? WHERE first_seq = ?`)] as const),
    ),
    setClosed: db.prepare('UPDATE streams SET closed_at = ? WHERE first_seq = ?'),
    setSummary: db.prepare('UPDATE streams SET summary = ? WHERE first_seq = ?'),
    addEnd: db.prepare('INSERT INTO ends (stream, last_seq) VALUES (?, ?)'),
    setEnd: db.prepare('UPDATE ends SET last_seq = ? WHERE stream = ?'),
    addRecord: db.prepare('INSERT INTO records (seq, stream, previous, type, time, data) VALUES (?, ?, ?, ?, ?, ?)'),
    addValue: db.prepare('INSERT OR IGNORE INTO log_values (stream, id, data) VALUES (?, ?, CAST(? AS TEXT))'),
    readRecords: db.prepare(
      `${chainOf('(SELECT first_seq FROM streams WHERE stream = ?1)', '?2')} SELECT seq, type, time, data FROM chain ORDER BY seq`,
    ),
    readStream: db.prepare('SELECT * FROM streams WHERE stream = ?'),
    readValue: db.prepare('SELECT data FROM log_values WHERE id = ? LIMIT 1'),
    readOwnValue: db.prepare(
      'SELECT data FROM log_values WHERE stream = (SELECT first_seq FROM streams WHERE stream = ?) AND id = ?',
    ),
    usedBytes: db.prepare(
      'SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()',
    ),
    oldestClosed: db.prepare(
      'SELECT first_seq, closed_at FROM streams WHERE closed_at IS NOT NULL ORDER BY closed_at, first_seq LIMIT 1',
    ),
    deleteStream: db.prepare('DELETE FROM streams WHERE first_seq = ?'),
    deleteEnd: db.prepare('DELETE FROM ends WHERE stream = ?'),
    deleteRecords: db.prepare(`${chainOf('?1', '0')} DELETE FROM records WHERE seq IN (SELECT seq FROM chain)`),
    deleteValues: db.prepare('DELETE FROM log_values WHERE stream = ?'),
    keepSeq: db.prepare('UPDATE pruned SET seq = ?'),
  }
}
