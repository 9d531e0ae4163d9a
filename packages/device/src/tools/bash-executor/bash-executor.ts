import { stat } from 'node:fs/promises'
import { LIMITS, errorText } from '@orrery/aip'
import { z } from 'zod'
import { destinationOf, pathFrom } from '../../paths/destination.js'
import { allowCommand, lineWords, type ShellMode } from '../../policy/shell-policy.js'
import { childEnvironment } from '../../process/child-environment.js'
import { codeOfSignal, failedEnd } from '../../process/program-end.js'
import { runProcess, type ProcessOutcome } from '../../process/run-process.js'
import { DEVICE_LIMITS } from '../../limits.js'
import { STRICT_PROGRAMS } from '../../policy/strict-programs.js'
import { defineServer } from '../built-in-server.js'
import { argvThatRan, programValue, type FailingProgram } from '../failing-program.js'
import { defineTool, type DefinedTool } from '../define-tool.js'
import { strictEnvironment } from '../strict-environment.js'
import type { ToolContext } from '../tool-context.js'
import { SystemInfo, readSystemInfo } from './system-info.js'

/** Limits of `execute_command`, in seconds (mcp-servers reference, chapter 5; the longest is that of every tool: seed 000, 100 minutes). */
const TIMEOUT = { min: 1, max: LIMITS.toolTime / 1000, default: 30 } as const

const CommandInput = z.object({
  command: z.string().describe('The command line'),
  timeout: z
    .number()
    .default(TIMEOUT.default)
    .describe(`Seconds after which the command is ended, ${TIMEOUT.min} to ${TIMEOUT.max}`),
  cwd: z.string().nullish().describe('The folder to run in; default: the folder in which the device was started'),
  max_output: z
    .number()
    .int()
    .min(1)
    .max(DEVICE_LIMITS.wholeOutput)
    .default(DEVICE_LIMITS.processOutput)
    .describe('Bytes that are returned of each output; of a longer one the head and the tail. For programs that need all of it'),
})

const CommandOutput = z.object({
  success: z.boolean().describe('Whether the command ended with exit code 0'),
  exit_code: z
    .number()
    .int()
    .nullable()
    .describe('128 and the number of the signal that ended the command; null when it was ended by the timeout or cancelled'),
  stdout: z.string(),
  stderr: z.string(),
  stdout_truncated: z.boolean().optional().describe('The middle of stdout was left out'),
  stderr_truncated: z.boolean().optional().describe('The middle of stderr was left out'),
  error: z.string().optional().describe('Why it did not end by itself'),
})

type Told = z.infer<typeof CommandOutput>

/** `execute_command`: runs a command line until it ends. */
function executeCommand(shell: ShellMode): DefinedTool<ToolContext> {
  return defineTool({
    name: 'execute_command',
    title: 'Execute a command',
    description: describe,
    hints: {
      readOnlyHint: shell === 'strict',
      destructiveHint: shell === 'full',
      idempotentHint: false,
      openWorldHint: true,
    },
    input: CommandInput,
    output: CommandOutput,
    describeCall: ({ command, cwd: folder }, { cwd }) => ({
      argv: lineWords(command, shell),
      paths: [{ path: pathFrom(cwd, folder ?? ''), access: 'run' }],
    }),
    run: (input, context: ToolContext, signal) => execute(context, input, signal),
  })
}

/** `get_system_info`: the machine in the words of the usual programs. */
const getSystemInfo = defineTool({
  name: 'get_system_info',
  title: 'Get system information',
  description: 'Gives what uname, uptime, free and df print. machine_info and list_disks give the same as numbers.',
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  input: z.object({}),
  output: SystemInfo,
  describeCall: () => ({}),
  run: (_input, context: ToolContext, signal) => readSystemInfo(context, signal),
})

/** The built-in server `BashExecutor`: runs command lines of this machine. */
export const bashExecutor = defineServer<ToolContext>(
  'BashExecutor',
  (shell) => [executeCommand(shell), getSystemInfo],
  (context) => ({ state: context }),
)

function describe({ shell, roots }: ToolContext): string {
  const common = 'Runs a command line; gives exit code and output. One that ends with an error is a failure.'
  if (shell === 'full') return `${common} It runs through the shell of the system.`
  return (
    `${common} It runs without a shell: no pipes, redirections, variables or patterns; quote arguments with blanks. ` +
    `The contents of files are shown only below ${roots.folders.join(', ')}. ` +
    `Allowed programs: ${[...STRICT_PROGRAMS.keys()].join(', ')}.`
  )
}

async function execute(
  context: ToolContext,
  input: z.output<typeof CommandInput>,
  signal: AbortSignal,
): Promise<Told | FailingProgram<Told>> {
  const wanted = pathFrom(context.cwd, input.cwd ?? '')
  const { real: cwd } = await destinationOf(wanted).catch(() => ({ real: wanted }))
  const folder = await stat(cwd).catch(() => null)
  if (folder?.isDirectory() !== true) throw new Error(`Invalid working directory: ${cwd}`)
  const command = await allowCommand(input.command, context.shell, cwd, context.roots, context.permits)
  const argv = argvThatRan({ line: input.command }, context.shell)
  const seconds = Math.min(TIMEOUT.max, Math.max(TIMEOUT.min, input.timeout))
  const outcome = await runProcess({
    ...command,
    cwd,
    env: context.shell === 'strict' ? strictEnvironment(context, argv, cwd) : childEnvironment(context.env),
    timeoutMs: seconds * 1000,
    keptOutput: input.max_output,
    clock: context.clock,
    signal,
  })
  const told = report(outcome, seconds)
  return programValue(told, told.error ?? failedEnd({ code: outcome.exitCode, signal: null }, argv))
}

function report(outcome: ProcessOutcome, seconds: number): Told {
  const { signal } = outcome
  const why = {
    exit: undefined,
    signal: `ended by ${signal}`,
    timeout: `Timeout after ${seconds}s.`,
    cancelled: errorText('TOOL_CANCELLED'),
  }[outcome.ended]
  return {
    success: outcome.ended === 'exit' && outcome.exitCode === 0,
    exit_code:
      outcome.ended === 'signal' && signal !== null ? codeOfSignal(signal) : outcome.ended === 'exit' ? outcome.exitCode : null,
    stdout: outcome.stdout,
    stderr: outcome.stderr,
    ...(outcome.stdoutTruncated ? { stdout_truncated: true } : {}),
    ...(outcome.stderrTruncated ? { stderr_truncated: true } : {}),
    ...(why === undefined ? {} : { error: why }),
  }
}
