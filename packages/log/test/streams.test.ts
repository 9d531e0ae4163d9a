import { describe, expect, it } from 'vitest'
import type { RecordLog, StreamQuery } from '../src/index.js'
import { openLog, temporaryPath } from './support/temporary.js'

const labels = ['device', 'status']

function names(log: RecordLog, query?: StreamQuery): string[] {
  return log.streams(query).map((info) => info.stream)
}

async function fourStreams(): Promise<RecordLog> {
  const log = openLog(':memory:', { labels })
  await log.append('s1', 'n', 1, { labels: { device: 'd1', status: 'done' }, open: false })
  await log.append('s2', 'n', 1, { labels: { device: 'd1', status: 'running' } })
  await log.append('s3', 'n', 1, { labels: { device: 'd2', status: 'running' } })
  await log.append('s4', 'n', 1, { labels: { device: 'd2', status: null } })
  return log
}

describe('streams', () => {
  it('are described by their first record and their latest labels', async () => {
    let time = 100
    const log = openLog(':memory:', { labels, now: () => time })
    const { seq: firstSeq } = await log.append('s', 'begun', 1, { labels: { device: 'd1', status: 'running' } })
    time = 200
    await log.append('s', 'ended', 2, { labels: { status: 'done' }, open: false })
    expect(log.stream('s')).toEqual({
      stream: 's',
      open: false,
      firstSeq,
      createdAt: 100,
      labels: { device: 'd1', status: 'done' },
      summary: null,
    })
  })

  it('have null for a label that was never set, or was cleared', async () => {
    const log = openLog(':memory:', { labels })
    await log.append('s', 'n', 1, { labels: { status: 'x' } })
    await log.append('s', 'n', 1, { labels: { status: null } })
    expect(log.stream('s')?.labels).toEqual({ device: null, status: null })
  })

  it('take records when closed, and open again only when told', async () => {
    const log = openLog()
    await log.append('s', 'n', 1, { open: false })
    await log.append('s', 'late', 2)
    expect(log.stream('s')?.open).toBe(false)
    await log.append('s', 'again', 3, { open: true })
    expect(log.stream('s')?.open).toBe(true)
    expect(log.read('s')).toHaveLength(3)
  })

  it('are listed oldest first, or newest first', async () => {
    const log = await fourStreams()
    expect(names(log)).toEqual(['s1', 's2', 's3', 's4'])
    expect(names(log, { newestFirst: true })).toEqual(['s4', 's3', 's2', 's1'])
  })

  it('are found by labels, by being open, and by both', async () => {
    const log = await fourStreams()
    expect(names(log, { labels: { device: 'd1' } })).toEqual(['s1', 's2'])
    expect(names(log, { labels: { device: 'd2', status: 'running' } })).toEqual(['s3'])
    expect(names(log, { open: true })).toEqual(['s2', 's3', 's4'])
    expect(names(log, { open: false })).toEqual(['s1'])
    expect(names(log, { labels: { device: 'd1' }, open: true })).toEqual(['s2'])
  })

  it('are listed page by page', async () => {
    const log = await fourStreams()
    expect(names(log, { newestFirst: true, limit: 2 })).toEqual(['s4', 's3'])
    expect(names(log, { newestFirst: true, limit: 2, before: 's3' })).toEqual(['s2', 's1'])
    expect(names(log, { newestFirst: true, before: 's1' })).toEqual([])
    expect(names(log, { before: 'unknown' })).toEqual([])
  })

  it('refuse labels that the log was not opened with', async () => {
    const log = openLog(':memory:', { labels })
    await expect(log.append('s', 'n', 1, { labels: { colour: 'red' } })).rejects.toThrow(new TypeError("Unknown label 'colour'"))
    expect(() => log.streams({ labels: { 'status = 1 OR 1': 'x' } })).toThrow(TypeError)
    expect(names(log)).toEqual([])
  })

  it('may have any text as a name, a type and a label', async () => {
    const log = openLog(':memory:', { labels })
    const odd = `a\u0000b'"; DROP TABLE streams; -- 🪐`
    await log.append(odd, odd, odd, { labels: { status: odd } })
    expect(log.read(odd)).toEqual([expect.objectContaining({ stream: odd, type: odd, data: odd })])
    expect(names(log, { labels: { status: odd } })).toEqual([odd])
  })

  it.each([['Status'], ['a b'], ['a1'], [''], ['x; DROP TABLE streams']])('cannot have a label %j', (label) => {
    expect(() => openLog(':memory:', { labels: [label] })).toThrow(TypeError)
  })

  it('cannot have the same label twice', () => {
    expect(() => openLog(':memory:', { labels: ['status', 'status'] })).toThrow(TypeError)
  })

  it('get the labels that are new since their file was written, and keep those that are not asked for', async () => {
    const path = temporaryPath()
    const old = openLog(path, { labels: ['status'] })
    await old.append('s', 'n', 1, { labels: { status: 'done' } })
    await old.close()
    const other = openLog(path, { labels: ['device'] })
    expect(other.stream('s')?.labels).toEqual({ device: null })
    await other.append('s', 'n', 2, { labels: { device: 'd1' } })
    await other.close()
    const both = openLog(path, { labels })
    expect(both.streams({ labels: { device: 'd1', status: 'done' } })).toHaveLength(1)
  })
})

it('keeps what lists show of a stream, and replaces it as a whole', async () => {
  const log = openLog(':memory:', { labels: [], now: () => 7 })
  await log.append('a', 'n', 1, { summary: (time) => ({ status: 'accepted', time }) })
  await log.append('a', 'n', 2)
  await log.append('b', 'n', 3)
  expect(log.streams().map(({ stream, summary }) => [stream, summary])).toEqual([
    ['a', { status: 'accepted', time: 7 }],
    ['b', null],
  ])
  await log.append('a', 'n', 4, { summary: () => ({ status: 'completed' }), open: false })
  expect(log.stream('a')?.summary).toEqual({ status: 'completed' })
})
