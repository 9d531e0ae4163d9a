import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command, Result } from '@orrery/aip'
import { startDevice } from '@orrery/device'
import { afterEach, describe, expect, it } from 'vitest'
import { CommandJournal } from '../../packages/device/src/journal/command-journal.js'
import { ScriptedServer } from '../../packages/device/test/support/scripted-server.js'
import { ManualClock } from '../support/manual-clock.js'
import type { Json } from '../support/wire-client.js'
import { histories, writeLog, type HistoryRecord, type JournalHead, type SentBatch } from './history.js'
import { JOURNAL_SCENARIOS } from './journal-scenarios.js'
import { JOURNAL_DEVICE, journalTools } from './journal-tools.js'

const INTERRUPTED = { status: 'failure', error: expect.stringContaining('interrupted') as unknown }

/** How long one session may take, in milliseconds: one that waits for what never comes must not stop all others for a minute each. */
const LONGEST = 20_000

const HISTORIES = histories('journal')

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A journal file with these records. */
async function fileWith({ labels }: JournalHead, records: readonly HistoryRecord[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-history-'))
  folders.push(folder)
  const path = join(folder, 'journal.db')
  await writeLog(path, labels, records)
  return path
}

/** Soon after the last record, so that nothing is old enough to be deleted. */
function soonAfter(records: readonly HistoryRecord[]): number {
  return Date.parse(records.at(-1)?.time ?? '') + 1000
}

/** What a journal says of a batch. */
function past(records: readonly HistoryRecord[], { response_id: id }: SentBatch) {
  const data = (type: string): Json[] =>
    records.filter((record) => record.stream === id && record.type === type).map((record) => record.data as Json)
  return {
    results: (data('finished')[0]?.['results'] ?? null) as Result[] | null,
    done: new Map(data('done').map(({ call_id, result }) => [call_id, result as Result])),
    started: new Set(data('started').map(({ call_id }) => call_id)),
    acknowledged: records.some(({ stream, type }) => stream === id && type === 'acknowledged'),
  }
}

/** The finished batches whose results no server has acknowledged. */
function unacknowledged(records: readonly HistoryRecord[], { batches }: JournalHead) {
  const all = batches.map((batch) => ({ response_id: batch.response_id, ...past(records, batch) }))
  const open = all.filter(({ results, acknowledged }) => results !== null && !acknowledged)
  return open.map(({ response_id, results }) => ({ response_id, results }))
}

const toolOf = ({ tool_name }: Command): string => tool_name

function lastToken(records: readonly HistoryRecord[]): unknown {
  const token = records.findLast(({ type }) => type === 'token')
  return (token?.data as Json | undefined)?.['token'] ?? null
}

it('has a recorded history for each scenario', () => {
  const recorded = HISTORIES.map(({ name }) => name.split('/').at(-1))
  expect(new Set(recorded)).toEqual(new Set(JOURNAL_SCENARIOS.map(({ name }) => name)))
})

describe.each(HISTORIES)('the recorded journal $name', ({ head, records }) => {
  it('is read as it was written, and shows nothing to another server', async () => {
    const path = await fileWith(head, records)
    const now = (): number => soonAfter(records)
    const journal = new CommandJournal({ path, server: head.server, now })
    for (const batch of head.batches) {
      const { results, done, started } = past(records, batch)
      const read = journal.past(batch.response_id)
      expect([...(read?.done ?? [])]).toMatchObject([...done])
      expect(read).toMatchObject({ results, started })
    }
    expect(journal.unacknowledged()).toMatchObject(unacknowledged(records, head))
    expect(journal.resumeToken).toBe(lastToken(records))
    await journal.close()
    const elsewhere = new CommandJournal({ path, server: 'ws://elsewhere/ws', now })
    expect([elsewhere.resumeToken, elsewhere.unacknowledged()]).toEqual([null, []])
    await elsewhere.close()
  })

  const cuts = records.map(({ type }, index) => ({ type, cut: index + 1 }))
  it.each(cuts)(
    'is continued by a device that was killed after record $cut, $type',
    async ({ cut }) => {
      const known = records.slice(0, cut)
      await using server = await ScriptedServer.listen()
      const moved = JSON.parse(JSON.stringify(known).replaceAll(head.server, server.url)) as HistoryRecord[]
      const ran: string[] = []
      const device = startDevice({
        serverUrl: server.url,
        clientId: 'd1',
        config: JOURNAL_DEVICE,
        localServers: { lab: journalTools({ ran: (tool) => ran.push(tool) }) },
        journalPath: await fileWith(head, moved),
        clock: new ManualClock(soonAfter(known)),
      })
      const connection = await server.connection()
      const aip = { version: 1, features: ['journal', 'resume', 'cancel'], resume_token: 'the next' }
      const registration = await connection.accept({ aip: { ...aip, session_id: head.batches[0]?.session_id ?? null } })
      expect((registration['metadata'] as { aip: Json }).aip['resume_token']).toBe(lastToken(known))
      // Sent without being asked for, because the server may not have them.
      for (const { response_id, results } of unacknowledged(known, head))
        expect(await connection.next('command_results')).toMatchObject({ prev_response_id: response_id, action_results: results })
      for (const batch of head.batches) {
        const { session_id, response_id, commands } = batch
        const { results, done, started } = past(known, batch)
        ran.length = 0
        const answered = await connection.run(commands, { session_id, response_id })
        const expected = commands.map(({ call_id }, index) => {
          const failed = answered.slice(0, index).some(({ status }) => status === 'failure')
          if (started.has(call_id)) return done.get(call_id) ?? INTERRUPTED
          return { call_id, status: failed ? 'skipped' : expect.not.stringContaining('skipped') }
        })
        expect(answered).toMatchObject(results ?? expected)
        const left = answered.filter(({ status, call_id }) => status !== 'skipped' && !started.has(call_id))
        expect(ran).toEqual(commands.filter(({ call_id }) => left.some((one) => one['call_id'] === call_id)).map(toolOf))
        connection.send('task_end', { session_id, status: 'completed' })
      }
      await device.stop()
    },
    LONGEST,
  )
})
