import type { MCPToolInfo, ToolType } from '@orrery/aip'
import type { CommandInput, Session } from '@orrery/aip/api'
import type { OrreryApi } from '@orrery/constellation'
import { Command, type ParseOptionsResult } from 'commander'
import { usageError } from '../terminal/errors.js'
import { orrery } from '../terminal/invocation.js'
import { runsProgram } from '../results/program-outcome.js'

/** A command whose words may hold what looks like flags but is meant for a tool, such as `df -h`: that is explained, not taken as its own. */
export class CallWords extends Command {
  override parseOptions(args: string[]): ParseOptionsResult {
    const parsed = super.parseOptions(args)
    // The help of this command can be asked for anywhere, except among the words of a command line.
    const [stray] = parsed.unknown
    const least = stray === '-h' || stray === '--help' ? 2 : 1
    if (stray !== undefined && parsed.operands.length >= least && parsed.operands.some(runsProgram))
      throw tooMany([...parsed.operands, ...parsed.unknown])
    return parsed
  }
}

/** What the words mean: a device only if there are two words that are not JSON. @param device that a flag names */
export function parseCall(words: readonly string[], device?: string): { device: string | undefined; command: CommandInput } {
  const last = words.at(-1) ?? ''
  const most = device === undefined ? 3 : 2
  const hasArguments = words.length === most || (words.length > 0 && /^\s*[{["]/.test(last))
  const names = hasArguments ? words.slice(0, -1) : words
  const [first, second, ...rest] = names
  if (first === undefined || first === '') throw usageError(`Name a tool: '${orrery('tools')}' lists them`)
  if (rest.length > 0 || (hasArguments && names.some(runsProgram) && !/^\s*[{["]/.test(last))) throw tooMany(words)
  const [named, tool] = second === undefined ? [undefined, first] : [first, second]
  const parameters = hasArguments ? parseArguments(last) : {}
  const typed = /^(action|data_collection)::(.+)$/.exec(tool)
  if (typed === null) return { device: named, command: { tool_name: tool, parameters } }
  return { device: named, command: { tool_name: typed[2] ?? '', tool_type: typed[1] as ToolType, parameters } }
}

/**
 * Explains an unknown device that is a tool: `orrery call execute_command 'df -h'`.
 * @throws {CliError} with exit code 2 that says how the tool is called, else the given error
 */
export async function misread(api: OrreryApi, words: readonly string[], error: unknown): Promise<Session> {
  const [first = '', second = ''] = words
  if (!(error instanceof Error && 'code' in error && error.code === 'DEVICE_NOT_FOUND') || words.length < 2) throw error
  const tool = runsProgram(first) ? null : await findTool(api, first)
  if (tool === undefined) throw error
  throw usageError(`'${first}' is a tool, not a device. ${howTo(tool, first, second)}`, error)
}

/** The tool of this name on a device that is online; undefined if none has it. */
async function findTool(api: OrreryApi, name: string): Promise<MCPToolInfo | undefined> {
  const devices = await api.devices.list()
  for (const { device_id: id, status } of devices) {
    if (status === 'offline') continue
    const tools = await api.devices.tools(id).catch(() => [])
    const found = tools.find((tool) => tool.tool_name === name)
    if (found !== undefined) return found
  }
  return undefined
}

function tooMany(words: readonly string[]): Error {
  const at = words.findIndex(runsProgram)
  if (at >= 0)
    return usageError(`The arguments of a tool are JSON. ${howTo(null, words[at] ?? '', words.slice(at + 1).join(' '))}`)
  return usageError(`Too many words: a device, a tool and its arguments as one JSON text, in quotes`)
}

/** @param tool null for one that runs a program */
function howTo(tool: MCPToolInfo | null, name: string, rest: string): string {
  const words = rest.trim()
  if (tool === null) {
    const example = quoted(JSON.stringify(name === 'run_command' ? { line: words } : { command: words }))
    return `Run a program with: ${orrery(`exec -- ${words === '' ? 'df -h' : words}`)} (or: ${orrery(`call ${name} ${example}`)})`
  }
  const required = tool.input_schema?.['required']
  const [only, ...others] = Array.isArray(required) ? required.map(String) : []
  const known = only !== undefined && others.length === 0 && words !== ''
  const example = known ? { [only]: words } : null
  if (example === null) return `Its arguments are JSON: '${orrery(`tools DEVICE ${name}`)}' shows them`
  return `Call it with: ${orrery(`call ${name} ${quoted(JSON.stringify(example))}`)}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
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
