// `npm run histories`: records the scenarios that have no file yet. `-- NAME …` takes some alone. A file that exists stays as it is.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { histories, RECORDED } from './history.ts'
import { JOURNAL_SCENARIOS } from './journal-scenarios.ts'
import { recordJournal } from './record-journal.ts'
import { recordSession } from './record-session.ts'
import { SCENARIOS } from './scenarios.ts'

const wanted = process.argv.slice(2)
const month = new Date().toISOString().slice(0, 7)
const known = new Set([...histories('session'), ...histories('journal')].map(({ name }) => name.split('/').at(-1)))
const all = [
  ...SCENARIOS.map((scenario) => ({ name: scenario.name, play: (folder: string) => recordSession(scenario, folder) })),
  ...JOURNAL_SCENARIOS.map((scenario) => ({ name: scenario.name, play: (folder: string) => recordJournal(scenario, folder) })),
]
for (const { name, play } of all) {
  if (known.has(name) || (wanted.length > 0 && !wanted.includes(name))) continue
  const folder = mkdtempSync(join(tmpdir(), 'orrery-history-'))
  try {
    const text = await play(folder)
    mkdirSync(join(RECORDED, month), { recursive: true })
    writeFileSync(join(RECORDED, month, `${name}.jsonl`), text, { flag: 'wx' })
    console.log(`${month}/${name}.jsonl`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
