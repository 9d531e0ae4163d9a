import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { openLog, temporaryPath } from './support/temporary.js'

describe('opening', () => {
  it('refuses a file of a newer version, and changes nothing in it', async () => {
    const path = temporaryPath()
    const log = openLog(path)
    await log.append('s', 'n', 1)
    await log.close()
    const version = setVersion(path, 99)
    expect(() => openLog(path)).toThrow(
      expect.objectContaining({
        code: 'TOO_NEW',
        message: `${path} was written by a newer version (its format is 99, known is 3)`,
      }),
    )
    setVersion(path, version)
    expect(openLog(path).read('s')).toHaveLength(1)
  })

  it('brings a file of the first version to this one', async () => {
    const path = temporaryPath()
    writeFirstVersion(path)
    const log = openLog(path)
    expect(log.read('a').map(({ seq, data }) => [seq, data])).toEqual([
      [1, 'a1'],
      [3, 'a2'],
      [4, 'a3'],
    ])
    expect(log.read('a', 3).map(({ seq }) => seq)).toEqual([4])
    expect(log.read('b').map(({ seq, data }) => [seq, data])).toEqual([[2, 'b1']])
    // What is added continues where each stream ended, and pruning takes an older stream whole.
    expect((await log.append('a', 'n', 'a4')).seq).toBe(5)
    await log.append('b', 'n', 'b2', { open: false })
    expect(log.read('a').map(({ seq }) => seq)).toEqual([1, 3, 4, 5])
    expect(log.read('b').map(({ seq }) => seq)).toEqual([2, 6])
    expect(log.prune({ maxAgeMs: 0 })).toBe(1)
    expect(log.read('b')).toEqual([])
    expect(log.read('a')).toHaveLength(4)
    await log.close()
    expect(count(path)).toBe(4)
  })

  it('refuses a file that is not a log', () => {
    const path = temporaryPath()
    writeFileSync(path, 'not a database '.repeat(1000))
    expect(() => openLog(path)).toThrow(
      expect.objectContaining({ code: 'BROKEN', message: expect.stringContaining(path) as string }),
    )
  })

  it('says so when the path cannot be used', () => {
    const path = temporaryPath()
    mkdirSync(path)
    expect(() => openLog(path)).toThrow(expect.objectContaining({ code: 'BROKEN' }))
    const file = `${path}-file`
    writeFileSync(file, '')
    expect(() => openLog(`${file}/log.db`)).toThrow(expect.objectContaining({ code: 'BROKEN' }))
  })

  it('begins a log in an empty file and leaves its mode alone', async () => {
    const path = temporaryPath()
    writeFileSync(path, '')
    chmodSync(path, 0o640)
    await expect(openLog(path).append('s', 'n', 1)).resolves.toMatchObject({ seq: 1 })
  })
})

/** @returns the version before */
function setVersion(path: string, version: number): number {
  const db = new DatabaseSync(path)
  const before = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  db.exec(`PRAGMA user_version = ${version}`)
  db.close()
  return before
}

/** Number of records in a file. */
function count(path: string): number {
  const db = new DatabaseSync(path)
  const records = Number(db.prepare('SELECT count(*) AS count FROM records').get()?.['count'])
  db.close()
  return records
}

/** Two streams in a file as the first version wrote it: an index over the streams of all records. */
function writeFirstVersion(path: string): void {
  const db = new DatabaseSync(path)
  db.exec(`
    CREATE TABLE streams (
      first_seq INTEGER PRIMARY KEY, stream TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL, closed_at INTEGER
    );
    CREATE INDEX streams_open ON streams (first_seq) WHERE closed_at IS NULL;
    CREATE INDEX streams_closed ON streams (closed_at) WHERE closed_at IS NOT NULL;
    CREATE TABLE records (
      seq INTEGER PRIMARY KEY, stream INTEGER NOT NULL, type TEXT NOT NULL, time INTEGER NOT NULL, data TEXT NOT NULL
    );
    CREATE INDEX records_stream ON records (stream);
    CREATE TABLE log_values (stream INTEGER NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (stream, id));
    CREATE INDEX log_values_id ON log_values (id);
    CREATE TABLE pruned (seq INTEGER NOT NULL);
    INSERT INTO pruned VALUES (0);
    INSERT INTO streams VALUES (1, 'a', 1000, NULL), (2, 'b', 1000, NULL);
    INSERT INTO records VALUES
      (1, 1, 'n', 1000, '"a1"'), (2, 2, 'n', 1000, '"b1"'), (3, 1, 'n', 1001, '"a2"'), (4, 1, 'n', 1002, '"a3"');
    PRAGMA user_version = 1;
  `)
  db.close()
}
