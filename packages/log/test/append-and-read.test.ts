import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RecordLog } from '../src/index.js'
import { openLog, temporaryPath } from './support/temporary.js'

describe('appending and reading', () => {
  it('returns what was appended, in order, after it was closed and opened again', async () => {
    const path = temporaryPath()
    const log = openLog(path, { now: () => 1234 })
    const records = [
      await log.append('a', 'begun', { request: 'x', nested: { list: [1, null, '', false] } }),
      await log.append('b', 'begun', null),
      await log.append('a', 'ended', ['any', 'JSON']),
    ]
    await log.close()
    expect(openLog(path).read('a')).toEqual([
      {
        seq: records[0]?.seq,
        stream: 'a',
        type: 'begun',
        time: 1234,
        data: { request: 'x', nested: { list: [1, null, '', false] } },
      },
      { seq: records[2]?.seq, stream: 'a', type: 'ended', time: 1234, data: ['any', 'JSON'] },
    ])
  })

  it('reads only what comes after a seq', async () => {
    const log = openLog()
    const { seq: first } = await log.append('s', 'n', 1)
    const { seq: second } = await log.append('s', 'n', 2)
    expect(log.read('s', first).map((record) => record.seq)).toEqual([second])
    expect(log.read('s', second)).toEqual([])
  })

  it('reads nothing of a stream that is not known', () => {
    const log = openLog()
    expect(log.read('unknown')).toEqual([])
    expect(log.stream('unknown')).toBeUndefined()
  })

  it('shows a record only once it is committed', async () => {
    const log = openLog()
    const appended = log.append('s', 'n', 1)
    expect(log.read('s')).toEqual([])
    await appended
    expect(log.read('s')).toHaveLength(1)
  })

  it('records the data as it was when append was called', async () => {
    const log = openLog()
    const data = { step: 'before' }
    const appended = log.append('s', 'n', data)
    data.step = 'after'
    await appended
    expect(log.read('s')[0]?.data).toEqual({ step: 'before' })
  })

  it('keeps a key __proto__ as a key', async () => {
    const log = openLog()
    const data: unknown = JSON.parse('{"__proto__": {"admin": true}, "big": "xxxxxxxxxx"}')
    await log.append('s', 'n', data, {})
    const read = log.read('s')[0]?.data as Record<string, unknown>
    expect(Object.keys(read)).toEqual(['__proto__', 'big'])
    expect('admin' in read).toBe(false)
  })

  it('refuses data that JSON has no form for, without harm to its neighbours', async () => {
    const log = openLog()
    const cycle: unknown[] = []
    cycle.push(cycle)
    const [before, bad, after] = await Promise.allSettled([
      log.append('s', 'n', 1),
      log.append('s', 'n', cycle),
      log.append('s', 'n', 2),
    ])
    expect([before.status, bad.status, after.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(bad).toHaveProperty('reason', expect.any(TypeError))
    expect(log.read('s').map((record) => record.data)).toEqual([1, 2])
  })

  it('keeps working after a caller in plain JavaScript has given a type that is not a string', async () => {
    const log = openLog()
    const untyped: unknown = undefined
    await expect(log.append('s', untyped as string, 1, { open: false })).rejects.toMatchObject({ code: 'BROKEN' })
    expect(log.stream('s')).toBeUndefined()
    await expect(log.append('s', 'n', 2)).resolves.toMatchObject({ seq: 1 })
  })

  it('records what is appended in one turn all or not at all', async () => {
    const log = openLog()
    const appended = await Promise.all([log.append('a', 'n', 1), log.append('b', 'n', 2, { open: false })])
    expect([...log.read('a'), ...log.read('b')]).toEqual(appended)
    expect(log.stream('b')?.open).toBe(false)
    const untyped: unknown = undefined
    const failed = await Promise.allSettled([
      log.append('a', 'n', 3),
      log.append('c', 'n', 1),
      log.append('c', untyped as string, 2),
    ])
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(log.stream('c')).toBeUndefined()
    await log.append('a', 'n', 4)
    expect(log.read('a').map(({ data }) => data)).toEqual([1, 4])
  })

  it('refuses everything after it was closed', async () => {
    const log = openLog()
    const last = log.append('s', 'n', 1)
    const closed = log.close()
    await expect(log.append('s', 'n', 2)).rejects.toMatchObject({ name: 'LogError', code: 'CLOSED' })
    await expect(last).resolves.toMatchObject({ seq: 1 })
    await closed
    await log.close()
    for (const use of [() => log.read('s'), () => log.streams(), () => log.value('x'), () => log.bytes, () => log.prune({})]) {
      expect(use).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    }
  })

  it('records what waits when it is closed', async () => {
    const path = temporaryPath()
    const log = openLog(path)
    const appended = log.append('s', 'n', 1)
    await log.close()
    await appended
    expect(openLog(path).read('s')).toHaveLength(1)
  })

  it('makes folders and files that only their owner can read', async () => {
    const path = join(dirname(temporaryPath()), 'devices', 'd1', 'log.db')
    const log = RecordLog.open(path, { labels: [] })
    await log.append('s', 'n', 1)
    const modes = [dirname(dirname(path)), dirname(path), path, `${path}-wal`].map((file) => statSync(file).mode & 0o777)
    await log.close()
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o600])
  })
})
