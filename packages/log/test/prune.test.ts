import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import type { RecordLog } from '../src/index.js'
import { openLog, temporaryPath } from './support/temporary.js'

function names(log: RecordLog): string[] {
  return log.streams().map((info) => info.stream)
}

describe('pruning', () => {
  it('deletes streams that were closed longer ago than allowed', async () => {
    let time = 0
    const log = openLog(':memory:', { now: () => time })
    for (const stream of ['a', 'b', 'c']) {
      time += 100
      await log.append(stream, 'n', 1, { open: false })
    }
    time = 400
    expect(log.prune({ maxAgeMs: 201 })).toBe(1)
    expect(names(log)).toEqual(['b', 'c'])
    expect(log.prune({ maxAgeMs: 200 })).toBe(1)
    expect(names(log)).toEqual(['c'])
    expect(log.read('a')).toEqual([])
  })

  it('counts the age from the closing, not from the beginning', async () => {
    let time = 0
    const log = openLog(':memory:', { now: () => time })
    await log.append('long', 'n', 1)
    await log.append('short', 'n', 1, { open: false })
    time = 1000
    await log.append('long', 'n', 1, { open: false })
    log.prune({ maxAgeMs: 500 })
    expect(names(log)).toEqual(['long'])
  })

  it('never deletes an open stream', async () => {
    const log = openLog()
    await log.append('open', 'n', 'x'.repeat(100_000))
    await log.append('again', 'n', 1, { open: false })
    await log.append('again', 'n', 1, { open: true })
    expect(log.prune({ maxAgeMs: 0, maxBytes: 0 })).toBe(0)
    expect(names(log)).toEqual(['open', 'again'])
  })

  it('deletes as few streams as the size allows, oldest first', async () => {
    const log = openLog(temporaryPath())
    const data = { large: 'x'.repeat(100_000), small: 'x' }
    for (let n = 0; n < 10; n += 1) await log.append(`s${n}`, 'n', data, { open: false })
    expect(log.prune({ maxBytes: log.bytes })).toBe(0)
    const limit = log.bytes - 250_000
    expect(log.prune({ maxBytes: limit })).toBe(3)
    expect(names(log)).toEqual(['s3', 's4', 's5', 's6', 's7', 's8', 's9'])
    expect(log.bytes).toBeLessThanOrEqual(limit)
  })

  it('deletes no more streams at once than allowed', async () => {
    const log = openLog()
    for (const stream of ['a', 'b', 'c']) await log.append(stream, 'n', 1, { open: false })
    expect(log.prune({ maxAgeMs: 0, maxStreams: 2 })).toBe(2)
    expect(names(log)).toEqual(['c'])
    expect(log.prune({ maxAgeMs: 0, maxStreams: 2 })).toBe(1)
    expect(log.prune({ maxAgeMs: 0, maxStreams: 2 })).toBe(0)
  })

  it('does nothing without limits', async () => {
    const log = openLog()
    await log.append('s', 'n', 1, { open: false })
    expect(log.prune({})).toBe(0)
  })

  it('commits what waits before, so a stream never loses its beginning alone', async () => {
    const log = openLog()
    await log.append('s', 'n', 1, { open: false })
    const reopened = log.append('s', 'n', 2, { open: true })
    expect(log.prune({ maxAgeMs: 0 })).toBe(0)
    await reopened
    expect(log.read('s').map((record) => record.data)).toEqual([1, 2])
  })

  it('gives no seq twice, even when everything was deleted and the log opened again', async () => {
    const path = temporaryPath()
    const log = openLog(path)
    const { seq: last } = await log.append('s', 'n', 1, { open: false })
    log.prune({ maxAgeMs: 0 })
    await log.close()
    const again = openLog(path)
    expect((await again.append('s', 'n', 1)).seq).toBe(last + 1)
    expect(again.stream('s')?.firstSeq).toBe(last + 1)
  })

  it('leaves nothing of a stream behind', async () => {
    const path = temporaryPath()
    const log = openLog(path)
    await log.append('s', 'n', { large: 'x'.repeat(100_000) })
    await log.append('s', 'n', 2, { open: false })
    log.prune({ maxAgeMs: 0 })
    await log.close()
    const db = new DatabaseSync(path)
    const rows = ['streams', 'ends', 'records', 'log_values'].map((table) => db.prepare(`SELECT * FROM ${table}`).all())
    db.close()
    expect(rows).toEqual([[], [], [], []])
  })

  it('gives the room back to the file system', async () => {
    const path = temporaryPath()
    const log = openLog(path)
    await log.append('s', 'n', { large: 'x'.repeat(2_000_000) }, { open: false })
    log.prune({ maxAgeMs: 0 })
    await log.close()
    expect(statSync(path).size).toBeLessThan(200_000)
  })
})
