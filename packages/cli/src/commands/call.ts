import type { Result, ToolType } from '@orrery/aip'
import type { CommandInput, Session } from '@orrery/aip/api'
import { Command } from 'commander'
import { CliError, EXIT, usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { noteText, printJson, printValue } from '../terminal/write.js'
import { type TargetOptions, connect, pickDevice, withTarget } from '../settings/target.js'

/** `orrery call`: one tool call. */
export function callCommand(): Command {
  const command = new Command('call')
    .summary('call one tool of a device')
    .description('Calls one tool of a device and prints its result. Ctrl-C cancels the call.')
    .usage('[options] [device] <tool> [\'{"json": "arguments"}\']')
    .argument(
      '<words...>',
      'the device, which may be left out if only one is online; the tool, by its name or as type::name; its arguments',
    )
    .option('--concurrent', 'run beside the session that the device is busy with; only for read-only tools that its owner trusts')
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        [`orrery call execute_command '{"command": "uptime"}'`, 'on the only device that is online'],
        [`orrery call web-1 execute_command '{"command": "df -h"}'`, 'on this device'],
        ['orrery call data_collection::get_system_info', 'a tool by its type and name'],
        ['orrery call get_system_info --concurrent', 'without waiting for the session that is running'],
        ['orrery tools', 'the tools, and what arguments they take'],
      ]),
    )
    .action(call)
}

async function call(words: string[], options: TargetOptions & { concurrent?: true }): Promise<void> {
  const { device: named, command } = parseCall(words)
  const api = await connect(options)
  const device = await pickDevice(api, named, 'orrery call DEVICE TOOL')
  // A session, not the route that waits for the results: it can be cancelled, may last for hours and survives a lost connection.
  const session = await api.sessions.create({ device_id: device, commands: [command], concurrent: options.concurrent })
  const [{ followShown }, { Result }] = await Promise.all([import('../follow/follow.js'), import('@orrery/aip')])
  const ended = await followShown(api, session, { device, results: false })
  const results = Result.array().catch([]).parse(ended.result)
  if (options.json) {
    const { session_id, status, error } = ended
    printJson({ session_id, status, results, error })
    process.exitCode = status === 'completed' ? EXIT.ok : EXIT.failed
  } else show(ended, results[0])
}

function show(session: Session, result: Result | undefined): void {
  if (result?.status === 'success') return printValue(result.result)
  const error = result?.error ?? null
  if (error === null) throw new CliError(session.error ?? `The call ended as ${session.status}`)
  // What a tool says about its failure may have many lines, like its result.
  noteText(error)
  process.exitCode = EXIT.failed
}

/** What the words mean: a device only if there are two words that are not JSON. */
export function parseCall(words: readonly string[]): { device: string | undefined; command: CommandInput } {
  const last = words.at(-1) ?? ''
  const hasArguments = words.length === 3 || /^\s*[{["]/.test(last)
  const names = hasArguments ? words.slice(0, -1) : words
  const [first, second, ...rest] = names
  if (first === undefined || first === '') throw usageError("Name a tool: 'orrery tools' lists them")
  if (rest.length > 0) throw usageError(`Too many words: a device, a tool and its arguments as one JSON text, in quotes`)
  const [device, tool] = second === undefined ? [undefined, first] : [first, second]
  const parameters = hasArguments ? parseArguments(last) : {}
  const typed = /^(action|data_collection)::(.+)$/.exec(tool)
  if (typed === null) return { device, command: { tool_name: tool, parameters } }
  return { device, command: { tool_name: typed[2] ?? '', tool_type: typed[1] as ToolType, parameters } }
}

function parseArguments(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const detail = error instanceof Error ? error.message : ''
    throw usageError(`The arguments are not JSON (${detail}); they look like '{"command": "uptime"}', in single quotes`, error)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw usageError(`The arguments must be a JSON object, such as '{"command": "uptime"}'`)
}
