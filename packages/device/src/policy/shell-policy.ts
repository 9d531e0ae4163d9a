import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { destinationOf, pathFrom } from '../paths/destination.js'
import { isProgram, systemTool } from '../process/find-program.js'
import type { Permits } from './permits.js'
import { PolicyViolation } from './policy-violation.js'
import type { Roots } from './roots.js'
import { splitCommand } from './split-command.js'
import { judgedArguments } from './strict-paths.js'
import { STRICT_PROGRAMS } from './strict-programs.js'
import { deviceError } from '../errors.js'

/** Which command lines may run: `strict` knows a list of programs and no shell, `full` gives them to the system's shell as they are. */
export type ShellMode = 'strict' | 'full'

/** A command that may run: an absolute program, or the system's shell, and its arguments. */
export interface AllowedCommand {
  file: string
  args: string[]
}

/** Where the strict shell looks for programs: folders that only the system's administrator writes to. */
export const SYSTEM_PATH: readonly string[] = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']

/**
 * Decides about a command line.
 * @param cwd the real folder in which it will run; a program given by a relative path is looked for there
 * @param roots the folders whose files strict programs may show; left out: all
 * @param permits commands that the policy of the device has let through
 * @throws PolicyViolation naming the rule; AipError `TOOL_FAILED` if an allowed program is not installed
 */
export async function allowCommand(
  line: string,
  mode: ShellMode,
  cwd: string,
  roots?: Roots,
  permits?: Permits,
): Promise<AllowedCommand> {
  return mode === 'full' ? shellCommand(line) : allowStrict(splitCommand(line), cwd, roots, permits)
}

/**
 * Decides about a program and its arguments by the rules of the strict shell. The arguments that come back are those to run: files in them
 * are the ones that were judged. Parameters and errors: see {@link allowCommand}.
 */
export async function allowStrict(
  argv: readonly string[],
  cwd: string,
  roots?: Roots,
  permits?: Permits,
): Promise<AllowedCommand> {
  const [program, ...args] = argv
  const name = basename(program ?? '')
  if (program !== undefined && permits?.has(argv, cwd) === true) return { file: await permittedProgram(program, name, cwd), args }
  const known = STRICT_PROGRAMS.get(name)
  if (program === undefined || known === undefined) {
    throw new PolicyViolation('shell.allow-list', `'${name}' is not a program of the strict shell`)
  }
  if (argv.some((word) => word.includes('\0'))) throw new PolicyViolation('shell.arguments', 'a NUL character is not available')
  if (known.shows === 'contents') {
    const judged = await judgedArguments(name, known, args, cwd, roots)
    return { file: await resolveProgram(program, name, cwd), args: judged }
  }
  const objection = known.objection?.(args) ?? null
  if (objection !== null) throw new PolicyViolation('shell.arguments', `${name}: ${objection}`)
  return { file: await resolveProgram(program, name, cwd), args }
}

/** The words of a line as it will run: split without a shell, or as one word for the system's shell. @throws PolicyViolation */
export function lineWords(line: string, mode: ShellMode): string[] {
  if (mode === 'strict') return splitCommand(line)
  const { file, args } = shellCommand(line)
  return [file, ...args]
}

/** A command line for the system's shell, as it is. */
export function shellCommand(line: string): AllowedCommand {
  if (process.platform === 'win32')
    return { file: process.env['COMSPEC'] ?? systemTool('cmd.exe'), args: ['/d', '/s', '/c', line] }
  return { file: '/bin/sh', args: ['-c', line] }
}

/** The policy has named the program with its folder, or meant that of the system. */
async function permittedProgram(program: string, name: string, cwd: string): Promise<string> {
  if (program === name) return resolveProgram(program, name, cwd)
  // A link at the end stays: some programs do by their name what they do.
  return join((await destinationOf(dirname(pathFrom(cwd, program)))).real, name)
}

/** The program of the system that a path leads to, whatever links are on its way; null if it leads elsewhere. */
export async function systemProgramAt(program: string, cwd: string): Promise<string | null> {
  const folder = await destinationOf(dirname(pathFrom(cwd, program))).catch(() => null)
  if (folder === null) return null
  const system = await Promise.all(SYSTEM_PATH.map((each) => realpath(each).catch(() => each)))
  const file = join(folder.real, basename(program))
  return system.includes(folder.real) && (await isProgram(file)) ? file : null
}

async function resolveProgram(program: string, name: string, cwd: string): Promise<string> {
  if (program !== name && (await systemProgramAt(program, cwd)) === null) {
    throw new PolicyViolation('shell.program-path', `'${program}' is not in ${SYSTEM_PATH.join(', ')}; give the name alone`)
  }
  for (const folder of SYSTEM_PATH) {
    const file = join(folder, name)
    if (await isProgram(file)) return file
  }
  throw deviceError('TOOL_FAILED', {
    tool: 'execute_command',
    detail: `${name} is not installed (looked in ${SYSTEM_PATH.join(', ')})`,
  })
}
