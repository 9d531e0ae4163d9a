import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RecordLog } from '../src/index.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orrery-log-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('RecordLog', () => {
  it('gives back what was appended, in order, after it was closed and opened again', async () => {
    const path = join(folder, 'a', 'log.db')
    const log = RecordLog.open(path, { labels: ['status'], now: () => 5 })
    const { seq: first } = await log.append('s1', 'accepted', { request: 'x' }, { labels: { status: 'accepted' } })
    const { seq: second } = await log.append('s1', 'ended', null, { labels: { status: 'completed' }, open: false })
    await log.close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700)
    const again = RecordLog.open(path, { labels: ['status'] })
    expect(again.read('s1')).toEqual([
      { seq: first, stream: 's1', type: 'accepted', time: 5, data: { request: 'x' } },
      { seq: second, stream: 's1', type: 'ended', time: 5, data: null },
    ])
    expect(again.stream('s1')).toEqual({
      stream: 's1',
      open: false,
      firstSeq: first,
      createdAt: 5,
      labels: { status: 'completed' },
    })
    expect(again.streams({ labels: { status: 'completed' } })).toHaveLength(1)
    expect(again.prune({ maxAgeMs: 0 })).toBe(1)
    expect(again.read('s1')).toEqual([])
    expect((await again.append('s2', 'accepted', {})).seq).toBe(second + 1)
    await again.close()
  })

  it('refuses a file that is open already', async () => {
    const path = join(folder, 'log.db')
    const log = RecordLog.open(path, { labels: [] })
    expect(() => RecordLog.open(path, { labels: [] })).toThrow(expect.objectContaining({ code: 'IN_USE' }))
    await log.append('s', 't', 1)
    await log.close()
  })

  it('stores large values once and out of line', async () => {
    const log = RecordLog.open(':memory:', { labels: [] })
    const big = 'x'.repeat(70_000)
    const data = { results: [{ result: big }, { result: { $value: 'fake', bytes: 1 } }], n: 1 }
    await log.append('s', 't', data)
    const stored = log.read('s')[0]?.data
    expect(JSON.stringify(stored).length).toBeLessThan(400)
    expect(log.resolve(stored)).toEqual(data)
    await log.close()
  })
})
