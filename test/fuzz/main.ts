// `npm run fuzz -- --seconds N --seed S --only KIND,KIND`: attacks a real server and real devices, and prints what it found.
import { parseArgs } from 'node:util'
import { KINDS } from './kinds.ts'
import { runFuzz } from './run-fuzz.ts'

const MIB = 1024 * 1024
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
})
// What was started goes with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const kinds = values.only?.split(',') ?? Object.keys(KINDS)
const { counts, found, probed, grown } = await runFuzz({ seconds: Number(values.seconds), seed: Number(values.seed), kinds })
for (const [what, count] of counts) console.log(`${count} ${what}`)
console.log(
  `/healthz: 99.9% of ${probed.asked} answers within ${probed.healthz.toFixed(1)} ms; an idle timer is late by ${probed.idle.toFixed(1)} ms`,
)
console.log(`Heap and external memory after a collection: ${grown < 0 ? '' : '+'}${(grown / MIB).toFixed(1)} MiB`)
for (const each of found) console.log(`FOUND ${each}`)
if (found.length > 0) console.log(`Again with: npm run fuzz -- --seconds ${values.seconds} --seed ${values.seed}`)
process.exit(found.length > 0 ? 1 : 0)
