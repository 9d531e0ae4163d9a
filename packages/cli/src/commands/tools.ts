import type { MCPToolInfo } from '@orrery/aip'
import { Command } from 'commander'
import { examples } from '../terminal/help.js'
import { age } from '../terminal/format.js'
import { painted } from '../terminal/painted.js'
import { table } from '../terminal/table.js'
import { note, print, printJson } from '../terminal/write.js'
import { type TargetOptions, connect, pickDevice, withTarget } from '../settings/target.js'

/** `orrery tools`: what a device can do. */
export function toolsCommand(): Command {
  const command = new Command('tools')
    .summary('list the tools of a device')
    .description("Lists the tools of a device: the names that 'orrery call' takes, and their arguments.")
    .argument('[device]', 'device; may be left out if only one is online')
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery tools', 'of the only device that is online'],
        ['orrery tools web-1', 'of this device'],
        [`orrery tools --json | jq '.tools[] | {tool_name, input_schema}'`, 'the full description of the arguments'],
      ]),
    )
    .action(listTools)
}

async function listTools(named: string | undefined, options: TargetOptions): Promise<void> {
  const api = await connect(options)
  const device = await pickDevice(api, named, 'orrery tools DEVICE')
  const [list, { status }] = await Promise.all([api.call('devices.tools', { params: { id: device } }), api.devices.get(device)])
  if (options.json) return printJson(list)
  const { tools, listed_at: listedAt } = list
  if (tools.length === 0) {
    const why = listedAt === null ? 'has not listed its tools yet' : 'offers no tools: its configuration has them all off'
    return print(`${device} ${why}`)
  }
  const rows = tools.map((tool) => [
    { text: tool.tool_type === 'action' ? tool.tool_name : tool.tool_key, style: 'bold' as const },
    argumentsOf(tool),
    tool.description?.trim().split('\n')[0] ?? '',
  ])
  for (const line of table(['TOOL', 'ARGUMENTS', 'WHAT IT DOES'], rows, [2, 1])) print(line)
  if (status !== 'online' && listedAt !== null) note(painted`\n${device} is ${status}: listed ${age(listedAt)} ago`)
  if (process.stdout.isTTY) print(painted`\nArguments in [brackets] may be left out.`)
}

/** The names of the arguments, those in brackets that may be left out. */
function argumentsOf(tool: MCPToolInfo): string {
  const properties = tool.input_schema?.['properties']
  const required = tool.input_schema?.['required']
  if (typeof properties !== 'object' || properties === null) return ''
  const names = Object.keys(properties)
  const needed = names.filter((name) => Array.isArray(required) && required.includes(name))
  const others = names.filter((name) => !needed.includes(name)).map((name) => `[${name}]`)
  return [...needed, ...others].join(' ')
}
