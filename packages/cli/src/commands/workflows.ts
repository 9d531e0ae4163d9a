import type { InvalidWorkflow, WorkflowSummary } from '@orrery/aip/api'
import { Command } from 'commander'
import { examples } from '../terminal/help.js'
import { orrery } from '../terminal/invocation.js'
import { type Line, paint, painted, singleLine } from '../terminal/painted.js'
import { print, printJson } from '../terminal/write.js'
import { type TargetOptions, connect, withTarget } from '../settings/target.js'
import { checkCommand } from './workflows-check.js'

/** `orrery workflows`: what can be run by name, and with which inputs. */
export function workflowsCommand(): Command {
  const command = new Command('workflows')
    .summary('list the workflows that can be run by name, or check files')
    .description(
      'Lists the workflows that the server knows by name, with their inputs, and the files in its folder that have mistakes. They run without a model.',
    )
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery workflows', 'the bundled ones, and those in the data folder of the server'],
        ['orrery workflows check my-own.yaml', 'every mistake of a file, with its line; runs nothing'],
        ['orrery run workflow:system-report', 'run one'],
        [`orrery run 'workflow:system-report {"path": "/home"}'`, 'with an input'],
        ['orrery run --workflow my-own.yaml', 'run a file'],
      ]),
    )
    .addCommand(checkCommand())
    .action(listWorkflows)
}

async function listWorkflows(options: TargetOptions): Promise<void> {
  const api = await connect(options)
  const { workflows, invalid } = await api.call('workflows.list', {})
  if (options.json) return printJson({ workflows, invalid })
  for (const workflow of workflows) for (const line of describe(workflow)) print(line)
  for (const file of invalid) for (const line of describeInvalid(file)) print(line)
  print(`Run one with: ${orrery('run workflow:NAME')}`)
}

function describe({ name, description, inputs }: WorkflowSummary): Line[] {
  const width = Math.max(0, ...inputs.map((input) => input.name.length))
  const rows = inputs.map((input) => {
    const kind = input.required ? `${input.type}, required` : `${input.type}, default ${JSON.stringify(input.default)}`
    const about = singleLine(input.description ?? '')
    return painted`  ${input.name.padEnd(width)}  ${paint('dim', kind)}${about === '' ? '' : `  ${about}`}`
  })
  return [painted`${paint('bold', name)}  ${singleLine(description)}`, ...rows, '']
}

function describeInvalid({ file, problems }: InvalidWorkflow): Line[] {
  return [
    painted`${paint('red', singleLine(file))}  cannot be run:`,
    ...problems.map((problem) => `  ${singleLine(problem)}`),
    '',
  ]
}
