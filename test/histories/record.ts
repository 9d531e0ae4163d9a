// `npm run histories`: records the scenarios that have no file yet. `-- NAME …` takes some alone. A file that exists stays as it is.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { histories, RECORDED, textOf, writeLog, type HistoryRecord, type SessionHead } from './history.ts'
import { tapLogs } from './log-tap.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { shownSession } from './shown-session.ts'
import { World } from './world.ts'

const wanted = process.argv.slice(2)
const month = new Date().toISOString().slice(0, 7)
const known = new Set([...histories('session'), ...histories('journal')].map(({ name }) => name.split('/').at(-1)))
for (const scenario of SCENARIOS) {
  const { name } = scenario
  if (known.has(name) || (wanted.length > 0 && !wanted.includes(name))) continue
  const folder = mkdtempSync(join(tmpdir(), 'orrery-history-'))
  try {
    const text = await recordSession(scenario, folder)
    mkdirSync(join(RECORDED, month), { recursive: true })
    writeFileSync(join(RECORDED, month, `${name}.jsonl`), text, { flag: 'wx' })
    console.log(`${month}/${name}.jsonl`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function recordSession(scenario: Scenario, folder: string): Promise<string> {
  using tap = tapLogs()
  const world = await World.play(scenario, { dataDir: join(folder, 'played'), now: Date.now() })
  await world.recorded('ended')
  if (scenario.constellation?.includes('resume') === true && world.constellation !== null) await world.delivered()
  await world[Symbol.asyncDispose]()
  const labels = tap.labelsOf('session_id')
  const records: HistoryRecord[] = tap.recordsOf('session_id')
  await writeLog(join(folder, 'shown', 'events.db'), labels, records)
  const { session } = await shownSession(join(folder, 'shown'), records)
  const head: SessionHead = {
    kind: 'session',
    about: scenario.about,
    labels,
    model_requests: world.model?.requests.length ?? 0,
    session,
  }
  return textOf({ head, records })
}
