// Appends records to the log at argv[2] until it is killed, from the sources of this package. Prints {"seq": n} after each append
// that was recorded, {"error": code} after one that was not, and then tries again once a line comes in.
import { registerHooks } from 'node:module'
import { createInterface } from 'node:readline'

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context)
    } catch (error) {
      if (!specifier.endsWith('.js')) throw error
      return next(`${specifier.slice(0, -3)}.ts`, context)
    }
  },
})
const { RecordLog } = await import('../../src/index.js')
const [, , path, durability] = process.argv
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
try {
  const log = RecordLog.open(path, { labels: [], durability })
  for (let n = 0; ; n += 1) {
    try {
      const { seq } = await log.append('s', 'n', { n, filler: 'x'.repeat(1000) })
      process.stdout.write(`${JSON.stringify({ seq })}\n`)
    } catch (error) {
      process.stdout.write(`${JSON.stringify({ error: error.code })}\n`)
      await lines.next()
    }
  }
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: error.code })}\n`)
  process.exit(1)
}
