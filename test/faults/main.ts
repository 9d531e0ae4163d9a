// `npm run faults -- --count N --seed S`: injects N faults into real processes and prints what became of every task.
import { parseArgs } from 'node:util'
import { canFillDisks } from './disk.ts'
import { KIND_NAMES, type Kind } from './kinds.ts'
import { findingsOf, tableOf } from './report.ts'
import { runFaults } from './run-faults.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    devices: { type: 'string', default: '6' },
    /** Injects none after this time, and judges. */
    minutes: { type: 'string' },
    /** Names of kinds, with commas: only these. */
    only: { type: 'string' },
    /** Keep the folder with logs, ledgers and databases even if nothing is broken. */
    keep: { type: 'boolean', default: false },
  },
})
const only = values.only?.split(',')
const wanted = KIND_NAMES.filter((kind) => only?.includes(kind) ?? true)
const possible = canFillDisks() ? wanted : wanted.filter((kind) => !kind.endsWith('disk-full'))
if (possible.length < wanted.length) console.error('Full disks are left out: they need the right to mount a small disk.')

// What was started and mounted goes with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const started = Date.now()
const options = { count: Number(values.count), seed: Number(values.seed), devices: Number(values.devices) }
const { book, folder } = await runFaults({
  ...options,
  kinds: possible satisfies Kind[],
  keep: values.keep,
  ...(values.minutes === undefined ? {} : { limitMs: Number(values.minutes) * 60_000 }),
  onFault: (done) => {
    if (done % 50 === 0) console.error(`${done} of ${options.count}, ${Math.round((Date.now() - started) / 1000)} s`)
  },
})
console.log(tableOf(book))
for (const line of findingsOf(book)) console.log(line)
if (folder !== null) console.log(`Logs are in ${folder}`)
console.log(`${book.injected.length} faults in ${Math.round((Date.now() - started) / 1000)} s`)
if (book.findings.length > 0) {
  console.log(`Broken. Again with: npm run faults -- --count ${options.count} --seed ${options.seed}`)
}
process.exit(book.findings.length > 0 ? 1 : 0)
