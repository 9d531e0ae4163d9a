// Shows which tests show which promise of the seed documents; fails on a promise without a test, and on an exception whose setting no test
// shows: `npm run conformance`.
// With `--quiet` it tells only how many.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { coverageOf, type Promised } from './coverage.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const promises = JSON.parse(readFileSync(new URL('promises.json', import.meta.url), 'utf8')) as Promised[]
const paths = globSync(['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root, exclude: ['**/node_modules/**'] })
const files = paths.sort().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
const { tests, uncovered, unknown, unshown } = coverageOf(promises, files)

if (!process.argv.includes('--quiet')) {
  for (const { id, quote, exception } of promises) {
    console.log(`${id}  ${quote.replaceAll(/\s+/g, ' ')}`)
    if (exception !== undefined) {
      const { kind, contradiction, reason, setting, test } = exception
      console.log(`       but (${contradiction === undefined ? kind : `${kind}, ${contradiction}`}): ${reason}`)
      console.log(`       ${setting === null ? 'no setting' : `with ${setting}: ${test?.path}: ${test?.name}`}`)
    }
    for (const { path, name } of tests.get(id) ?? []) console.log(`       ${path}: ${name}`)
  }
}
const exceptions = promises.filter(({ exception }) => exception !== undefined).length
console.log(
  `\n${promises.length - uncovered.length} of ${promises.length} promises have a test (${exceptions} with an exception)`,
)
if (uncovered.length > 0) console.error(`Without a test: ${uncovered.join(', ')}`)
if (unknown.length > 0) console.error(`No such promise: ${unknown.join(', ')}`)
for (const problem of unshown) console.error(`Exception ${problem}`)
process.exitCode = uncovered.length + unknown.length + unshown.length > 0 ? 1 : 0
