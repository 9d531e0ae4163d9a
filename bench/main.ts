// `npm run bench`: every figure about speed and memory, in one run. `--quick` measures less, `--only=PART` one part alone; both write nothing.
import { deviceRows } from './device-measurements.ts'
import { fleetRows } from './fleet-measurements.ts'
import { hostileRows } from './hostile-measurements.ts'
import { recoveryRows } from './recovery-measurements.ts'
import { pressureRows } from './pressure-measurements.ts'
import { tableOf, writeReport } from './report.ts'
import type { Row } from './row.ts'
import { commandRows, connectionRows, largeResultRow, type Extent } from './server-measurements.ts'
import { startRows } from './start-measurements.ts'

const quick = process.argv.includes('--quick')
const extent: Extent = quick
  ? { rounds: 1, ms: 500, idleConnections: 300, commandsPerDevice: 50 }
  : { rounds: 5, ms: 2000, idleConnections: 2000, commandsPerDevice: 250 }

const rows: Row[] = []
const parts: [string, () => Promise<Row[]>][] = [
  ['connections', () => connectionRows(extent)],
  ['commands', () => commandRows(extent)],
  ['a large result', async () => [await largeResultRow(extent)]],
  ['the device', () => deviceRows(quick ? 50 : 1000)],
  ['a device under pressure', () => pressureRows(quick ? 1 : 10)],
  ['starts', () => startRows(quick ? 1 : 5)],
  [
    'a large fleet',
    () => fleetRows(quick ? { devices: 1000, sessions: 5000, rounds: 2 } : { devices: 10_000, sessions: 100_000, rounds: 5 }),
  ],
  ['one hostile client', () => hostileRows(quick ? 3000 : 10_000)],
  ['recovery', () => recoveryRows(quick ? { ended: 500, open: 50, devices: 100 } : { ended: 10_000, open: 500, devices: 1000 })],
]
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length)
for (const [name, measure] of parts) {
  if (only !== undefined && only !== name) continue
  console.error(`measuring ${name} …`)
  rows.push(...(await measure()))
}
console.log(tableOf(rows))
if (!quick && only === undefined) writeReport(rows, new Date().toISOString())
process.exit(0)
