import { Result } from '@orrery/aip'
import type { OrreryApi } from '@orrery/constellation'
import { Command, InvalidArgumentError, type ParseOptionsResult } from 'commander'
import { programCommand } from '../exec/program-command.js'
import { wholeOutput } from '../exec/whole-output.js'
import { begin, leave, withNoWait } from '../follow/begin.js'
import { endInWords, exitCodeOf, programOutcome, type ProgramOutcome } from '../results/program-outcome.js'
import { runInTerminal } from './shell.js'
import { type CliError, EXIT, orreryError, usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { orrery } from '../terminal/invocation.js'
import { paint, singleLine } from '../terminal/painted.js'
import { note, noteText, printJson, printOutput } from '../terminal/write.js'
import { type DeviceTargetOptions, connect, namedDevice, pickDevice, withDevice } from '../settings/target.js'

/** How long a program may run unless said otherwise, in seconds. */
const TIMEOUT = 3600
/** What a program may read, in bytes: the limit of the tool. */
const STDIN = 1024 * 1024

interface ExecOptions extends DeviceTargetOptions {
  cwd?: string
  env: Record<string, string>
  stdin?: true
  terminal?: true
  timeout: number
  wait: boolean
}

/** A command whose words after `--` belong to a program, flags and all. */
class ExecCommand extends Command {
  /** The words after `--`; null without it. */
  program: string[] | null = null

  override parseOptions(args: string[]): ParseOptionsResult {
    const at = args.indexOf('--')
    this.program = at < 0 ? null : args.slice(at + 1)
    const parsed = super.parseOptions(at < 0 ? args : args.slice(0, at))
    // Without `--`, flags of the program would be taken as those of this command, its help among them.
    if (at < 0 && parsed.operands.length > 0) throw withoutDashes([...parsed.operands, ...parsed.unknown])
    return parsed
  }
}

/** `orrery exec`: a program on a device, as if it ran here. */
export function execCommand(): Command {
  const command = new ExecCommand('exec')
    .summary('run a program on a device')
    .description(
      'Runs a program on a device, and prints what it printed, as it is. It ends with the exit code of the program, or 128+n after a signal; ' +
        "125 is an error of Orrery's own. There is no shell in between: for pipes and patterns run one, where the device allows it. Ctrl-C ends the program.",
    )
    .usage('[options] [device] -- <program> [arguments]')
    .argument('[device]', 'device; may be left out if only one is online')
    .option('--cwd <folder>', 'folder of the device to run in (default: the one in which it was started)')
    .option('-e, --env <NAME=VALUE>', 'variable for the program; may be given several times', parseEnv, {})
    .option('-i, --stdin', 'give the program the whole standard input of this command, at most 1 MiB')
    .option(
      '-t, --terminal',
      'run it in a terminal, for programs that have a screen; -e, -i, --timeout, --no-wait and --json are not for that',
    )
    .option('--timeout <seconds>', 'end the program after this time', parseTimeout, TIMEOUT)
  return withDevice(withNoWait(command))
    .addHelpText(
      'after',
      examples([
        ['orrery exec -- df -h', 'on the only device that is online'],
        ['orrery exec web-1 -- git status --short', 'on this device'],
        ['orrery exec web-1 -- cat /etc/hosts > hosts', 'what it prints is not changed'],
        ["orrery exec -- sh -c 'ps aux | wc -l'", 'through a shell'],
      ]),
    )
    .action((word: string | undefined, options: ExecOptions) => exec(word, command.program, options))
}

async function exec(word: string | undefined, words: readonly string[] | null, options: ExecOptions): Promise<void> {
  const [program, ...args] = words ?? []
  if (program === undefined || program === '') throw usageError(`Name a program: ${orrery('exec -- df -h')}`)
  const named = namedDevice(word, options)
  if (options.terminal === true) {
    if (options.stdin === true || options.json === true || !options.wait || Object.keys(options.env).length > 0)
      throw usageError('In a terminal there is no --stdin, --env, --json and --no-wait: leave them out, or -t')
    return runInTerminal(named, options, { program, args, cwd: options.cwd })
  }
  const stdin = options.stdin === true ? await readStdin() : undefined
  try {
    const api = await connect(options)
    const device = await pickDevice(api, named, 'with --device ID')
    const { tools } = await api.call('devices.tools', { params: { id: device } })
    const { cwd, env, timeout } = options
    const command = programCommand(tools, device, { program, args, cwd, env, stdin, timeout })
    const session = await begin(api, { device_id: device, commands: [command] })
    if (!options.wait) return leave(session, options.json)
    const { followShown } = await import('../follow/follow.js')
    const ended = await followShown(api, session, { device, results: false })
    const results = Result.array().catch([]).parse(ended.result)
    const [result] = results
    const outcome = programOutcome(result?.result)
    if (options.json) printJson({ session_id: ended.session_id, status: ended.status, results, error: ended.error })
    else if (outcome === null)
      noteText(result?.error ?? ended.error ?? `The program did not run: the session ended as ${ended.status}`)
    else await show(api, device, outcome, result?.error ?? null)
    process.exitCode = outcome === null ? EXIT.orrery : exitCodeOf(outcome)
  } catch (error) {
    throw orreryError(error)
  }
}

async function show(api: OrreryApi, device: string, program: ProgramOutcome, reason: string | null): Promise<void> {
  for (const name of ['stdout', 'stderr'] as const) {
    const pieces = wholeOutput(api, device, program, name)
    let piece = await pieces.next()
    for (; piece.done !== true; piece = await pieces.next()) printOutput(process[name], piece.value)
    if (!piece.value) note(paint('dim', `the middle of ${name} was left out`))
  }
  if (program.exitCode === null || program.signal !== null) note(paint('dim', singleLine(reason ?? endInWords(program) ?? '')))
}

function withoutDashes(words: readonly string[]): CliError {
  return usageError(
    `Put -- before the program: ${orrery(`exec -- ${words.join(' ')}`)} (a device comes before it: exec DEVICE -- PROGRAM)`,
  )
}

async function readStdin(): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of process.stdin) {
    const bytes = Buffer.from(piece as Uint8Array)
    size += bytes.length
    if (size > STDIN) throw usageError('A program reads at most 1 MiB with --stdin: copy larger files with orrery cp')
    pieces.push(bytes)
  }
  return Buffer.concat(pieces).toString()
}

function parseEnv(text: string, before: Record<string, string>): Record<string, string> {
  const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It must be NAME=VALUE.')
  return { ...before, [name]: value }
}

function parseTimeout(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= TIMEOUT) return value
  throw new InvalidArgumentError(`It must be a whole number of seconds from 1 to ${TIMEOUT}.`)
}
