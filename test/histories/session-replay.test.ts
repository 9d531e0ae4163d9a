import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { RecordType } from '@orrery/aip/records'
import { readRecord, viewOf, type SessionRecord } from '../../packages/server/src/store/session-view.js'
import type { StoredRecord } from '../../packages/server/src/store/session-store.js'
import type { Json } from '../support/wire-client.js'
import { histories, writeLog, type History, type HistoryRecord, type SessionHead } from './history.js'
import type { Scenario } from './scenario.js'
import { SCENARIOS } from './scenarios.js'
import { shownSession } from './shown-session.js'
import { World } from './world.js'

type SessionHistory = History<SessionHead>

/** How long one session may take, in milliseconds: one that waits for what never comes must not stop all others for a minute each. */
const LONGEST = 20_000

const HISTORIES = histories('session')

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A data folder whose log has these records. */
async function folderWith({ head }: SessionHistory, records: readonly HistoryRecord[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-history-'))
  folders.push(folder)
  await writeLog(join(folder, 'events.db'), head.labels, records)
  return folder
}

function parsed({ records }: SessionHistory): SessionRecord[] {
  return records.map(({ seq, stream, type, time, data }) => {
    const stored: StoredRecord = { seq, runId: stream, type: RecordType.parse(type), time: Date.parse(time), data: data as Json }
    return readRecord(stored)
  })
}

function scenarioOf({ name }: SessionHistory): Scenario {
  const scenario = SCENARIOS.find((each) => name.endsWith(`/${each.name}`))
  if (scenario === undefined) throw new Error(`no scenario of this name says how ${name} continues`)
  return scenario
}

it('has a recorded history for each scenario', () => {
  const recorded = HISTORIES.map(({ name }) => name.split('/').at(-1))
  expect(new Set(recorded)).toEqual(new Set(SCENARIOS.map(({ name }) => name)))
})

describe.each(HISTORIES)('the recorded session $name', (history) => {
  const { head, records } = history

  it('is read by the descriptions of today, and gives the session that was shown', () => {
    const read = parsed(history)
    expect(read.map(({ data }) => data)).toMatchObject(records.map(({ data }) => data))
    expect(viewOf(read)).toMatchObject(head.session)
  })

  it('is shown as it was by a server that is started on its log', async () => {
    const shown = await shownSession(await folderWith(history, records), records)
    const { session_id: id } = head.session
    const events = records.map(({ seq, type, time, data, stored }) => ({ seq, session_id: id, time, type, data: stored ?? data }))
    expect(shown.session).toMatchObject(head.session)
    const listed = { ...head.session, result: null }
    expect(shown.listed).toMatchObject([listed, listed, listed])
    expect(shown.byTaskName).toMatchObject({ status: 'done' })
    expect(shown.log).toMatchObject(events)
    expect(shown.events).toMatchObject(events.filter(({ type }) => type !== 'delivered'))
  })

  const cuts = records.slice(0, -1).map(({ type }, index) => ({ type, cut: index + 1 }))
  it.each(cuts)(
    'continues when it is cut after record $cut, $type',
    async ({ cut }) => {
      const scenario = scenarioOf(history)
      const known = records.slice(0, cut)
      const dataDir = await folderWith(history, known)
      const now = Date.parse(known.at(-1)?.time ?? '') + 1000
      await using world = await World.continue(scenario, { dataDir, now }, head.session.session_id)
      const events = await world.server.events(head.session.run_id)
      const { body } = await world.server.api(`/api/sessions/${head.session.run_id}`)
      expect(outcomeOf(body, scenario)).toEqual(outcomeOf({ ...head.session, ...scenario.continued?.session }, scenario))
      expect(events.slice(0, cut)).toMatchObject(known.map(({ seq, type }) => ({ seq, type })))
      if (scenario.continued?.otherRecords !== true)
        expect(typesOf(events.slice(cut))).toEqual(scenario.device.returns === false ? ['ended'] : typesOf(records.slice(cut)))
      expectOnce(history, known, world)
      if (records.at(-1)?.type === 'delivered') await world.delivered()
    },
    LONGEST,
  )
})

/** Expects that nothing was asked for again that has its answer in these records: of the model or of the device. */
function expectOnce({ head }: SessionHistory, known: readonly HistoryRecord[], { model, device }: World): void {
  const turns = known.filter(({ type, data }) => type === 'agent_step' && asObject(data)['name'] === 'turn')
  const asked = model?.requests.length ?? 0
  const left = head.model_requests - turns.length
  // A model that is cancelled may not have been asked yet.
  if (head.session.status === 'cancelled') expect(asked).toBeLessThanOrEqual(left)
  else expect(asked).toBe(left)
  const answered = known.filter(({ type }) => type === 'results_received').map(({ data }) => asObject(data)['response_id'])
  expect(answered.filter((id) => device?.received.has(String(id)))).toEqual([])
}

/** What must be the same at the end, wherever the session was cut: all but ids that are new, times, and ports. */
function outcomeOf(session: Json, { device }: Scenario): unknown {
  const { agent, status, request, result, error, usage, question, steps } = session
  // A session whose device stays away gets no further.
  const outcome = { agent, status, request, result, error, usage, question, steps: device.returns === false ? null : steps }
  const text = JSON.stringify(outcome, (key, value: unknown) => (key === 'call_id' ? null : value))
  return JSON.parse(text.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST'))
}

/** Types of records in no order, because what comes from several sides may cross; without what a restart adds and what is not recorded. */
function typesOf(records: readonly { type?: unknown }[]): string[] {
  const types = records.map(({ type }) => String(type))
  return types.filter((type) => !['paused', 'resumed', 'approval', 'delivered', 'progress'].includes(type)).sort()
}

function asObject(value: unknown): Json {
  return value as Json
}
