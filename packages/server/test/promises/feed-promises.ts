import type { SessionEvent } from '@orrery/aip/api'
import { expect, it } from 'vitest'
import type { Change, Feed } from '../../src/store/feed.js'

const EVENT: SessionEvent = { seq: 1, session_id: 's1', time: '', type: 'resumed', data: {} }

function presence(at: number): Change {
  return { kind: 'presence', deviceId: `d${at}` }
}

/**
 * What every adapter of the port promises.
 * @param kept how many changes it keeps at least for readers that come back
 */
export function feedPromises(open: () => Feed, kept: number): void {
  it('gives what changed after a position, in order, each with its own', async () => {
    const feed = open()
    const start = feed.position()
    for (const at of [1, 2, 3]) feed.changed(presence(at))
    const missed = await feed.since(start)
    expect(missed?.map(({ change }) => change)).toEqual([presence(1), presence(2), presence(3)])
    expect(await feed.since(missed?.[0]?.position ?? '')).toEqual(missed?.slice(1))
    expect(await feed.since(feed.position())).toEqual([])
  })

  it('says that a position is too old, or not its own', async () => {
    const feed = open()
    const start = feed.position()
    for (let at = 0; at < kept; at += 1) feed.changed(presence(at))
    expect(await feed.since(start)).toHaveLength(kept)
    feed.changed(presence(kept))
    expect(await feed.since(start)).toBeNull()
    for (const wrong of ['', 'x', '-1', `${start}9999999`, open().position(), '0', 'NaN-NaN']) {
      expect(await feed.since(wrong)).toBeNull()
    }
  })

  it('tells listeners of each change with the position after it, until they stop', async () => {
    const feed = open()
    const heard: string[] = []
    const stop = feed.onChange((_, position) => heard.push(position))
    feed.changed(presence(1))
    expect(heard).toEqual([feed.position()])
    stop()
    feed.changed(presence(2))
    expect(heard).toHaveLength(1)
    expect((await feed.since(heard[0] ?? ''))?.map(({ change }) => change)).toEqual([presence(2)])
  })

  it('takes a record for a change of its session, and progress for none', async () => {
    const feed = open()
    const start = feed.position()
    feed.emit('r1', EVENT)
    feed.emit('r1', { ...EVENT, seq: null, type: 'progress' })
    expect((await feed.since(start))?.map(({ change }) => change)).toEqual([{ kind: 'session', runId: 'r1' }])
  })

  it('gives the events of one run, or of all', () => {
    const feed = open()
    const ofRun: string[] = []
    const ofAll: string[] = []
    const stop = feed.onEvent((_, runId) => ofRun.push(runId), 'r1')
    feed.onEvent((_, runId) => ofAll.push(runId))
    for (const runId of ['r1', 'r2']) feed.emit(runId, EVENT)
    stop()
    feed.emit('r1', EVENT)
    expect(ofRun).toEqual(['r1'])
    expect(ofAll).toEqual(['r1', 'r2', 'r1'])
  })
}
