// `npm run eval`: how well the configured model does the tasks. `--only ID,ID` runs some alone, `--config FILE` takes the model of a
// server's configuration, `--json` prints the rows for programs.
import { parseArgs } from 'node:util'
import { loadServerConfig, resolveModel } from '@orrery/server'
import { ALL_TASKS } from './all-tasks.ts'
import { lineOf, summaryOf } from './report.ts'
import { runEval } from './run-eval.ts'

const { values } = parseArgs({ options: { only: { type: 'string' }, config: { type: 'string' }, json: { type: 'boolean' } } })
const only = values.only?.split(',')
const tasks = ALL_TASKS.filter(({ id, area }) => only === undefined || only.includes(id) || only.includes(area))
const model = modelOrExplain()
if (tasks.length === 0) fail(`No task is named ${values.only ?? ''}; there are: ${ALL_TASKS.map(({ id }) => id).join(', ')}`)
const rows = await runEval({
  tasks,
  model,
  ended: (row) => {
    if (!values.json) console.log(lineOf(row))
  },
})
console.log(
  values.json ? JSON.stringify({ model: model.main.model, rows }, null, 2) : `\n${model.main.model}\n${summaryOf(rows)}`,
)
process.exit(0)

function modelOrExplain(): NonNullable<ReturnType<typeof resolveModel>> {
  try {
    const config = values.config === undefined ? undefined : loadServerConfig(values.config).model
    const settings = resolveModel(process.env, config)
    if (settings !== null) return settings
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error))
  }
  return fail("No model is named: set ORRERY_MODEL; './orrery model --help' tells the rest")
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
