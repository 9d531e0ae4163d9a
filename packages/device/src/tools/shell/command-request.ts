import { stat } from 'node:fs/promises'
import { aipError } from '@orrery/aip'
import { z } from 'zod'
import { PolicyViolation } from '../../policy/policy-violation.js'
import { allowStrict, shellCommand, type AllowedCommand } from '../../policy/shell-policy.js'
import { splitCommand } from '../../policy/split-command.js'
import { childEnvironment, type Environment } from '../../process/child-environment.js'
import { programToRun } from '../../process/find-program.js'
import { deviceError } from '../../errors.js'
import type { CallEffects, CallPlace } from '../../policy/call-effects.js'
import { strictEnvironment } from '../strict-environment.js'
import type { ToolContext } from '../tool-context.js'

/** What both a command and a job are started from. */
export const COMMAND_INPUT = {
  program: z.string().min(1).optional().describe('A program by name or path; either this or line'),
  args: z.array(z.string()).default([]).describe('Its arguments, each as it is: there is no shell between'),
  line: z.string().min(1).optional().describe('A command line instead of program and args'),
  cwd: z.string().optional().describe('The folder to run in; default: the start folder of the device'),
  env: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/), z.string())
    .default({})
    .describe('Variables to add to the environment'),
}

/** The arguments behind {@link COMMAND_INPUT}. */
export interface CommandRequest {
  program?: string | undefined
  args: string[]
  line?: string | undefined
  cwd?: string | undefined
  env: Record<string, string>
  terminal?: boolean | undefined
}

/** What a command depends on. */
export type CommandContext = Pick<ToolContext, 'shell' | 'roots' | 'permits' | 'env'>

/** A command that may run. */
export interface ReadyCommand {
  file: string
  args: string[]
  cwd: string
  env: Record<string, string>
}

/** Variables that change how a program shows things; others can make a program load or start something else. */
const HARMLESS = /^(LANG|LC_[A-Z]+|TZ|COLUMNS|LINES|NO_COLOR)$/

/**
 * Decides about a command and puts together what is needed to start it.
 * @throws PolicyViolation; AipError of the catalogue for a bad folder or bad arguments
 */
export async function readyCommand(context: CommandContext, request: CommandRequest): Promise<ReadyCommand> {
  const { shell, roots, permits } = context
  const cwd = await roots.target(request.cwd ?? '.')
  const folder = await stat(cwd).catch(() => null)
  if (folder?.isDirectory() !== true) throw aipError('PATH_KIND', { path: request.cwd ?? cwd, expected: 'a folder' })
  if (shell === 'full') {
    const env = childEnvironment(context.env, request.env)
    const command = request.line === undefined ? await programOf(request, env) : shellCommand(checked(request).line ?? '')
    return { ...command, cwd, env }
  }
  const argv = argvOf(request)
  const command = await allowStrict(argv, cwd, roots, permits)
  const [refused] = variablesOf(request)
  if (refused !== undefined)
    throw new PolicyViolation(
      'shell.environment',
      `the variable ${refused} could change what a program does; only LANG, LC_*, TZ, COLUMNS, LINES and NO_COLOR may be set`,
    )
  return { ...command, cwd, env: strictEnvironment(context, argv, cwd, request.env) }
}

/** What a command would touch: its words, or the system's shell with the line, and the folder in which it runs. */
export function commandEffects(request: CommandRequest, { shell, roots }: CallPlace): CallEffects {
  const variables = variablesOf(request)
  const effects: CallEffects = {
    paths: [{ path: roots.absolute(request.cwd ?? '.'), access: 'run' }],
    ...(request.terminal === true ? { terminal: true } : {}),
    ...(variables.length > 0 ? { variables } : {}),
  }
  if (request.line === undefined || shell === 'strict') return { argv: argvOf(request), ...effects }
  const { file, args } = shellCommand(checked(request).line ?? '')
  return { argv: [file, ...args], ...effects }
}

/** The variables of a command that are not known as harmless. */
function variablesOf({ env }: CommandRequest): string[] {
  return Object.keys(env).filter((name) => !HARMLESS.test(name))
}

/** The words of a command; a line is split without a shell. @throws PolicyViolation where that is not possible */
function argvOf(request: CommandRequest): string[] {
  const { program, args, line } = checked(request)
  return program === undefined ? splitCommand(line ?? '') : [program, ...args]
}

async function programOf(request: CommandRequest, env: Environment): Promise<AllowedCommand> {
  const [program = '', ...args] = argvOf(request)
  const file = await programToRun(program, env)
  if (file === null) throw deviceError('TOOL_FAILED', { tool: program, detail: 'there is no such program' })
  return { file, args }
}

/** @throws AipError `INVALID_INPUT` unless there is either a program or a line */
function checked(request: CommandRequest): CommandRequest {
  const { program, args, line } = request
  if ((program === undefined) === (line === undefined))
    throw aipError('INVALID_INPUT', { detail: "give either 'program' with 'args', or 'line'" })
  if (line !== undefined && args.length > 0)
    throw aipError('INVALID_INPUT', { detail: "'args' belong to 'program'; put them into the line" })
  return request
}
