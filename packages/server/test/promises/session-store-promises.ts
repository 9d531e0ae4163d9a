import type { RecordData, RecordType } from '@orrery/aip/records'
import { array, assert, asyncProperty, constant, constantFrom, oneof, tuple, type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Lane, SessionStore } from '../../src/store/session-store.js'
import { readRecord, viewOf } from '../../src/store/session-view.js'
import type { ManualClock } from '../../../../test/support/manual-clock.js'

/** A store under test, empty. */
export interface StoreUnderTest extends AsyncDisposable {
  store: SessionStore
  clock: ManualClock
  /** Closes the store and opens what it kept, as the next process does. */
  reopen(): Promise<SessionStore>
}

/** The data of the first record of a session. */
export function accepted(more: Partial<RecordData['accepted']> = {}): RecordData['accepted'] {
  return {
    session_id: 's1',
    device_id: 'd1',
    task_name: 't1',
    request: 'look',
    owner: { kind: 'operator', client_id: null, resumes: false },
    request_id: null,
    assigned: false,
    work: { kind: 'words', request: 'look' },
    ...more,
  }
}

const ENDED: RecordData['ended'] = { status: 'completed', result: 'fine', error: null, agent: 'model' }

/** What every adapter of the port promises. */
export function sessionStorePromises(open: () => Promise<StoreUnderTest>): void {
  async function begin(store: SessionStore, lane: Lane, runId: string, more?: Partial<RecordData['accepted']>): Promise<void> {
    await store.append(lane, runId, 'accepted', accepted({ session_id: runId, ...more }))
  }

  describe('a lane', () => {
    it('has one owner: what an earlier one appends is refused, and is not recorded', async () => {
      await using under = await open()
      const { store } = under
      const first = await store.takeLane('d1')
      await begin(store, first, 'r1')
      const second = await store.takeLane('d1')
      expect(second.epoch).toBeGreaterThan(first.epoch)
      await expect(store.append(first, 'r1', 'ended', ENDED)).rejects.toMatchObject({ code: 'STALE_OWNER' })
      await store.append(second, 'r1', 'paused', { reason: 'x' })
      expect((await store.records('r1')).map(({ type }) => type)).toEqual(['accepted', 'paused'])
    })

    it('refuses an owner that does not know where it ends', async () => {
      await using under = await open()
      const { store } = under
      const lane = await store.takeLane('d1')
      const stale = { ...lane }
      await begin(store, lane, 'r1')
      await expect(store.append(stale, 'r1', 'ended', ENDED)).rejects.toMatchObject({ code: 'STALE_OWNER' })
      expect(await store.records('r1')).toHaveLength(1)
    })

    it('takes nothing once it was released, and releasing it twice does no harm to the next owner', async () => {
      await using under = await open()
      const { store } = under
      const first = await store.takeLane('d1')
      await store.releaseLane(first)
      await expect(begin(store, first, 'r1')).rejects.toMatchObject({ code: 'STALE_OWNER' })
      const second = await store.takeLane('d1')
      await store.releaseLane(first)
      await begin(store, second, 'r1')
      expect(await store.records('r1')).toHaveLength(1)
    })

    it('takes what one owner appends without waiting, in order', async () => {
      await using under = await open()
      const { store } = under
      const lane = await store.takeLane('d1')
      await Promise.all([
        begin(store, lane, 'r1'),
        store.append(lane, 'r1', 'paused', { reason: 'x' }),
        store.append(lane, 'r1', 'resumed', {}),
        store.append(lane, 'r1', 'ended', ENDED),
      ])
      const records = await store.records('r1')
      expect(records.map(({ type }) => type)).toEqual(['accepted', 'paused', 'resumed', 'ended'])
      expect(records.map(({ seq }) => seq)).toEqual(records.map(({ seq }) => seq).toSorted((a, b) => a - b))
    })
  })

  describe('records', () => {
    it('are there after the process, with the time of the injected clock', async () => {
      await using under = await open()
      const lane = await under.store.takeLane('d1')
      await begin(under.store, lane, 'r1')
      await under.clock.advance(1500)
      await under.store.append(lane, 'r1', 'ended', ENDED)
      const [first, last] = await (await under.reopen()).records('r1')
      expect(last?.time).toBe((first?.time ?? 0) + 1500)
      expect(last).toMatchObject({ runId: 'r1', type: 'ended', data: ENDED })
    })

    it('can be read after a sequence number, and there are none of an unknown run', async () => {
      await using under = await open()
      const { store } = under
      const lane = await store.takeLane('d1')
      await begin(store, lane, 'r1')
      await store.append(lane, 'r1', 'ended', ENDED)
      const [first] = await store.records('r1')
      expect((await store.records('r1', first?.seq)).map(({ type }) => type)).toEqual(['ended'])
      expect(await store.records('r2')).toEqual([])
    })

    it('have references in place of large values, which are found by their own session only', async () => {
      await using under = await open()
      const { store } = under
      const lane = await store.takeLane('d1')
      const large = 'x'.repeat(100_000)
      await begin(store, lane, 'r1')
      await begin(store, lane, 'r2')
      await store.append(lane, 'r1', 'ended', { ...ENDED, result: large })
      const [, ended] = await store.records('r1')
      const result = ended?.data['result'] as { $value: string; bytes: number }
      expect(result.bytes).toBe(large.length + 2)
      expect(await store.value('r1', result.$value)).toBe(large)
      expect(await store.value('r2', result.$value)).toBeUndefined()
      expect(await store.value('r1', 'none')).toBeUndefined()
      expect((await store.wholeRecords('r1'))[1]?.data).toEqual({ ...ENDED, result: large })
    })
  })

  describe('looking up', () => {
    it('finds runs by what their records say, newest first', async () => {
      await using under = await open()
      const { store } = under
      const one = await store.takeLane('d1')
      const two = await store.takeLane('d2')
      const owner = { kind: 'constellation', client_id: 'c1', resumes: true } as const
      await begin(store, one, 'r1', { session_id: 'same', owner })
      await begin(store, two, 'r2', { device_id: 'd2', task_name: 'other' })
      await store.append(one, 'r1', 'ended', ENDED)
      await begin(store, one, 'r3', { session_id: 'same' })
      expect(await store.find({})).toEqual(['r3', 'r2', 'r1'])
      expect(await store.find({ limit: 2 })).toEqual(['r3', 'r2'])
      expect(await store.find({ before: 'r2' })).toEqual(['r1'])
      expect(await store.find({ deviceId: 'd2' })).toEqual(['r2'])
      expect(await store.find({ sessionId: 'same', limit: 1 })).toEqual(['r3'])
      expect(await store.find({ taskName: 'other' })).toEqual(['r2'])
      expect(await store.find({ open: true })).toEqual(['r3', 'r2'])
      expect(await store.find({ status: 'completed' })).toEqual(['r1'])
      expect(await store.find({ awaitedBy: 'c1', open: false })).toEqual(['r1'])
      await store.append(one, 'r1', 'delivered', { client_id: 'c1' })
      expect(await store.find({ awaitedBy: 'c1', open: false })).toEqual([])
    })

    it('shows in lists what the records of each session tell, whatever happened, also after the process', async () => {
      await assert(
        asyncProperty(array(tuple(constantFrom('r1', 'r2', 'r3'), happening), { maxLength: 30 }), async (steps) => {
          await using under = await open()
          const lane = await under.store.takeLane('d1')
          const begun = new Set<string>()
          const over = new Set<string>()
          for (const [runId, { type, data }] of steps) {
            if (over.has(runId)) continue
            if (!begun.has(runId)) await begin(under.store, lane, runId)
            begun.add(runId)
            await under.clock.advance(10)
            await under.store.append(lane, runId, type, data)
            if (type === 'ended') over.add(runId)
          }
          const check = async (store: SessionStore): Promise<void> => {
            const shown = new Map((await store.summaries({})).map((view) => [view.run_id, view]))
            expect(new Set(shown.keys())).toEqual(begun)
            for (const runId of begun) {
              const told = viewOf((await store.wholeRecords(runId)).map(readRecord))
              expect(shown.get(runId)).toEqual({ ...told, result: null })
            }
          }
          await check(under.store)
          await check(await under.reopen())
        }),
        { numRuns: 30 },
      )
    })

    it('cuts long requests in lists', async () => {
      await using under = await open()
      const lane = await under.store.takeLane('d1')
      await begin(under.store, lane, 'r1', { request: '🦉'.repeat(60_000) })
      const [view] = await under.store.summaries({ runId: 'r1' })
      expect(view?.request.length).toBeLessThanOrEqual(1001)
      expect(view?.request.isWellFormed()).toBe(true)
    })
  })

  describe('pruning', () => {
    it('deletes the sessions that ended longest ago, at most the given number, and never an open one', async () => {
      await using under = await open()
      const { store, clock } = under
      const lane = await store.takeLane('d1')
      for (const runId of ['r1', 'r2', 'r3', 'r4']) await begin(store, lane, runId)
      for (const runId of ['r2', 'r1', 'r3']) {
        await store.append(lane, runId, 'ended', ENDED)
        await clock.advance(1000)
      }
      const limits = { maxBytes: Infinity, maxSessions: 1 }
      expect(await store.prune({ ...limits, maxAgeMs: 2000 })).toBe(1)
      expect(await store.find({})).toEqual(['r4', 'r3', 'r1'])
      expect(await store.prune({ ...limits, maxAgeMs: 2000 })).toBe(1)
      expect(await store.prune({ ...limits, maxAgeMs: 2000 })).toBe(0)
      expect(await store.find({})).toEqual(['r4', 'r3'])
      expect(await store.records('r1')).toEqual([])
      expect(await store.summaries({})).toHaveLength(2)
    })
  })

  it('says that it cannot do what it is asked when it is closed', async () => {
    await using under = await open()
    const lane = await under.store.takeLane('d1')
    await under.store.close()
    const failed = { code: 'STORE_FAILED' }
    await expect(begin(under.store, lane, 'r1')).rejects.toMatchObject(failed)
    await expect(under.store.records('r1')).rejects.toMatchObject(failed)
    await expect(under.store.summaries({})).rejects.toMatchObject(failed)
    await expect(under.store.find({})).rejects.toMatchObject(failed)
  })
}

type Happening = { [T in RecordType]: { type: T; data: RecordData[T] } }[Exclude<RecordType, 'accepted' | 'delivered'>]

const happening: Arbitrary<Happening> = oneof(
  constant<Happening>({
    type: 'commands_sent',
    data: { response_id: 'b', agent_name: 'LinuxAgent', process_name: '', root_name: '', label: null, commands: [] },
  }),
  constant<Happening>({ type: 'results_received', data: { response_id: 'b', duration_ms: 1, results: [] } }),
  constant<Happening>({
    type: 'agent_step',
    data: { name: 'turn', value: { usage: { input_tokens: 1, output_tokens: 2, cached_tokens: 0, cost_usd: 0.1 } } },
  }),
  constant<Happening>({ type: 'question', data: { question_id: 'q', text: 'Which?', expires_at: '' } }),
  constant<Happening>({ type: 'answer', data: { question_id: 'q', text: 'this', by: 'operator' } }),
  constant<Happening>({ type: 'remark', data: { text: 'in blue', by: 'operator' } }),
  constant<Happening>({ type: 'paused', data: { reason: 'device_disconnected' } }),
  constant<Happening>({ type: 'resumed', data: {} }),
  constantFrom('completed', 'failed', 'cancelled').map((status): Happening => ({ type: 'ended', data: { ...ENDED, status } })),
)
