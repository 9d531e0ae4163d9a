import type { MCPToolInfo } from '@orrery/aip'
import { Command } from 'commander'
import { argumentsOf, describeTool } from '../results/describe-tool.js'
import { CliError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { age } from '../terminal/format.js'
import { orrery } from '../terminal/invocation.js'
import { painted } from '../terminal/painted.js'
import { table } from '../terminal/table.js'
import { note, print, printJson } from '../terminal/write.js'
import { type DeviceTargetOptions, connect, namedDevice, pickDevice, withDevice } from '../settings/target.js'

/** `orrery tools`: what a device can do. */
export function toolsCommand(): Command {
  const command = new Command('tools')
    .summary('list the tools of a device, or describe one')
    .description(
      "Lists the tools of a device: the names that 'orrery call' takes, and their arguments. With the name of a tool it says all about that one.",
    )
    .argument('[device]', 'device; may be left out if only one is online')
    .argument('[tool]', 'describe this tool, with an example')
  return withDevice(command)
    .addHelpText(
      'after',
      examples([
        ['orrery tools', 'of the only device that is online'],
        ['orrery tools web-1', 'of this device'],
        ['orrery tools web-1 run_command', 'one tool: its arguments, and how to call it'],
        [`orrery tools --json | jq '.tools[] | {tool_name, input_schema}'`, 'the full description of the arguments'],
      ]),
    )
    .action(listTools)
}

async function listTools(word: string | undefined, toolWord: string | undefined, options: DeviceTargetOptions): Promise<void> {
  const api = await connect(options)
  // With the flag, the only word is a tool.
  const [named, tool] =
    options.device !== undefined && toolWord === undefined && word !== options.device ? [undefined, word] : [word, toolWord]
  const device = await pickDevice(api, namedDevice(named, options), 'orrery tools DEVICE')
  const [list, { status }] = await Promise.all([api.call('devices.tools', { params: { id: device } }), api.devices.get(device)])
  if (tool !== undefined) return showTool(device, list.tools, tool, options.json)
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
  for (const line of table(['TOOL', 'ARGUMENTS', 'WHAT IT DOES'], rows, [1, 2])) print(line)
  if (status !== 'online' && listedAt !== null) note(painted`\n${device} is ${status}: listed ${age(listedAt)} ago`)
  if (process.stdout.isTTY)
    print(painted`\nArguments in [brackets] may be left out. All about one: ${orrery(`tools ${device} TOOL`)}`)
}

function showTool(device: string, tools: readonly MCPToolInfo[], name: string, json: boolean | undefined): void {
  const tool = tools.find((each) => each.tool_key === name || each.tool_name === name)
  if (tool === undefined)
    throw new CliError(`${device} has no tool '${name}'${similar(name, tools)}: '${orrery(`tools ${device}`)}' lists them`)
  if (json) return printJson(tool)
  for (const line of describeTool(tool, device)) print(line)
}

/** A name that differs in a few letters, or holds the given one. */
function similar(name: string, tools: readonly MCPToolInfo[]): string {
  const found = tools.find((tool) => tool.tool_name.includes(name) || name.includes(tool.tool_name))
  return found === undefined ? '' : ` (did you mean '${found.tool_name}'?)`
}
