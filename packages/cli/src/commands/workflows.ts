import type { WorkflowSummary } from '@orrery/aip/api'
import { Command } from 'commander'
import { examples } from '../terminal/help.js'
import { orrery } from '../terminal/invocation.js'
import { paint, print, printJson, singleLine } from '../terminal/output.js'
import { type TargetOptions, connect, withTarget } from '../settings/target.js'

/** `orrery workflows`: what can be run by name, and with which inputs. */
export function workflowsCommand(): Command {
  const command = new Command('workflows')
    .summary('list the workflows that can be run by name')
    .description('Lists the workflows that the server knows by name, with their inputs. They run without a model.')
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery workflows', 'the bundled ones, and those in the data folder of the server'],
        ['orrery run workflow:system-report', 'run one'],
        [`orrery run 'workflow:system-report {"path": "/home"}'`, 'with an input'],
        ['orrery run --workflow my-own.yaml', 'run a file'],
      ]),
    )
    .action(listWorkflows)
}

async function listWorkflows(options: TargetOptions): Promise<void> {
  const api = await connect(options)
  const workflows = await api.workflows.list()
  if (options.json) return printJson({ workflows })
  for (const workflow of workflows) for (const line of describe(workflow)) print(line)
  print(`Run one with: ${orrery('run workflow:NAME')}`)
}

function describe({ name, description, inputs }: WorkflowSummary): string[] {
  const width = Math.max(0, ...inputs.map((input) => input.name.length))
  const rows = inputs.map((input) => {
    const kind = input.required ? `${input.type}, required` : `${input.type}, default ${JSON.stringify(input.default)}`
    return `  ${input.name.padEnd(width)}  ${paint('dim', kind)}  ${singleLine(input.description ?? '')}`.trimEnd()
  })
  return [`${paint('bold', name)}  ${singleLine(description)}`, ...rows, '']
}
