import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from '@orrery/aip'
import { startDevice } from '@orrery/device'
import { z } from 'zod'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { DEVICE_KEY, startTestServer } from '../support/test-server.ts'
import { textOf, type HistoryRecord, type JournalHead, type SentBatch } from './history.ts'
import type { JournalScenario } from './journal-scenarios.ts'
import { JOURNAL_DEVICE, journalTools } from './journal-tools.ts'
import { tapLogs } from './log-tap.ts'

const Sent = z.object({ response_id: z.string(), commands: z.array(Command) })

/** Plays a scenario with a real device. @returns the text of its file */
export async function recordJournal({ about, act }: JournalScenario, folder: string): Promise<string> {
  using tap = tapLogs()
  await using server = await startTestServer({ dataDir: join(folder, 'server') })
  await using proxy = await startCuttingProxy(server.url)
  const url = `${proxy.url.replace('http', 'ws')}/ws`
  const device = startDevice({
    serverUrl: url,
    token: DEVICE_KEY,
    clientId: 'd1',
    config: JOURNAL_DEVICE,
    localServers: { lab: journalTools({ ran: () => {}, cutOff: () => proxy.swallowAnswers(), hangs: true }) },
    journalPath: join(folder, 'journal.db'),
    persistent: true,
  })
  await device.registered
  const records = (): HistoryRecord[] => tap.recordsOf('kind')
  await act({
    proxy,
    run: async (...tools) => {
      const commands = tools.map((tool_name) => ({ tool_name }))
      const { status, body } = await server.api('/api/sessions', { device_id: 'd1', commands })
      if (status !== 201) throw new Error(JSON.stringify(body))
    },
    journalled: async (type, count = 1) => {
      while (records().filter((record) => record.type === type).length < count) await sleep(10)
    },
  })
  // As a device leaves it that is killed now.
  const kept = records()
  const head: JournalHead = {
    kind: 'journal',
    about,
    labels: tap.labelsOf('kind'),
    server: url,
    batches: sentBatches(tap.recordsOf('session_id')),
  }
  await device.stop()
  return textOf({ head, records: kept })
}

function sentBatches(records: readonly HistoryRecord[]): SentBatch[] {
  const sessions = new Map(
    records.filter(({ type }) => type === 'accepted').map(({ stream, data }) => [stream, data as { session_id: string }]),
  )
  return records.flatMap(({ stream, type, data }) => {
    const session = sessions.get(stream)
    return type === 'commands_sent' && session !== undefined ? [{ session_id: session.session_id, ...Sent.parse(data) }] : []
  })
}
