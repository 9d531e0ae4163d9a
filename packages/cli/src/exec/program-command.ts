import type { MCPToolInfo } from '@orrery/aip'
import type { CommandInput } from '@orrery/aip/api'
import { CliError, EXIT } from '../terminal/errors.js'

/** A program to run on a device. */
export interface WantedProgram {
  program: string
  args: readonly string[]
  cwd: string | undefined
  env: Readonly<Record<string, string>>
  stdin: string | undefined
  /** Seconds. */
  timeout: number
}

/**
 * Returns the command that runs a program: the tool of Orrery's devices that takes it as it is, else a command line for existing devices.
 * @param tools of the device; empty if it has not listed them
 * @throws {CliError} if no tool of the device can run it
 */
export function programCommand(tools: readonly MCPToolInfo[], device: string, wanted: WantedProgram): CommandInput {
  const { program, args, cwd, env, stdin, timeout } = wanted
  const own = tools.find((tool) => tool.tool_name === 'run_command' && 'program' in propertiesOf(tool))
  if (own !== undefined) {
    const parameters = {
      program,
      args,
      timeout_s: timeout,
      ...defined({ cwd, stdin }),
      ...(Object.keys(env).length > 0 ? { env } : {}),
    }
    return { tool_name: own.tool_name, tool_type: own.tool_type, parameters }
  }
  const line = tools.find(({ tool_name: name }) => name === 'execute_command')
  if (tools.length > 0 && line === undefined)
    throw new CliError(`${device} has no tool that runs a program ('orrery tools ${device}' lists what it has)`, EXIT.orrery)
  if (stdin !== undefined || Object.keys(env).length > 0)
    throw new CliError(
      `${device} runs command lines alone: --stdin and --env need a device with the tool run_command`,
      EXIT.orrery,
    )
  const command = [program, ...args].map(quoted).join(' ')
  return { tool_name: 'execute_command', parameters: { command, timeout, ...defined({ cwd }) } }
}

/** A word as a POSIX shell, and a device without a shell, reads it again. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`
}

function propertiesOf({ input_schema: schema }: MCPToolInfo): object {
  const properties = schema?.['properties']
  return typeof properties === 'object' && properties !== null ? properties : {}
}

function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
