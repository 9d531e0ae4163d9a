import { z } from 'zod'
import type { ShellMode } from '../../policy/shell-policy.js'
import { STRICT_PROGRAMS } from '../../policy/strict-programs.js'
import { DEVICE_LIMITS } from '../../limits.js'
import { failedRun } from '../../process/program-end.js'
import { runProcess } from '../../process/run-process.js'
import { argvThatRan, programValue } from '../failing-program.js'
import { defineTool, type DefinedTool, type ToolHints } from '../define-tool.js'
import { COMMAND_INPUT, commandEffects, readyCommand } from './command-request.js'
import { SHELL_LIMITS } from './limits.js'
import type { ShellState } from './shell-state.js'
import type { SpooledOutput } from './spooled-output.js'
import { inTerminal } from './terminal.js'
import { deviceError } from '../../errors.js'

/** What a command may do depends on the shell that the owner has set. */
export function commandHints(shell: ShellMode): ToolHints {
  return { readOnlyHint: shell === 'strict', destructiveHint: shell === 'full', idempotentHint: false, openWorldHint: true }
}

/** What may be run, for descriptions. */
export function whatRuns(shell: ShellMode): string {
  return shell === 'full'
    ? 'Any program, or with line a line for the shell of the system.'
    : `No shell: a line is split into words, without pipes, redirections, variables and patterns. Allowed programs: ${[...STRICT_PROGRAMS.keys()].join(', ')}.`
}

/** `run_command`: runs a program until it ends. */
export function runCommand(shell: ShellMode): DefinedTool<ShellState> {
  return defineTool({
    name: 'run_command',
    title: 'Run a command',
    description:
      'Runs a program with its arguments, or a line, with input, variables or a terminal if wanted; gives exit code and output. ' +
      `${whatRuns(shell)} Of a long output the head and the tail come, and read_output gives the rest by the id in stdout_id or stderr_id. ` +
      'What runs on, or asks questions, is better started with start_job.',
    hints: commandHints(shell),
    input: z.object({
      ...COMMAND_INPUT,
      stdin: z
        .string()
        .max(SHELL_LIMITS.input)
        .optional()
        .describe('What the program reads from its standard input; default: nothing'),
      timeout_s: z
        .number()
        .min(1)
        .max(SHELL_LIMITS.timeoutMost)
        .default(SHELL_LIMITS.timeout)
        .describe('Seconds after which it is ended, with all that it has started'),
      terminal: z.boolean().default(false).describe('Run it in a pseudo-terminal; stderr is part of stdout then'),
    }),
    output: z.object({
      exit_code: z.number().int().nullable().describe('null when a signal, the timeout or a cancellation ended it'),
      ended: z.enum(['exit', 'signal', 'timeout', 'cancelled']),
      signal: z.string().optional().describe('The signal that ended it'),
      stdout: z.string(),
      stderr: z.string(),
      stdout_id: z.string().optional().describe('For read_output: the middle of stdout was left out'),
      stderr_id: z.string().optional().describe('For read_output: the middle of stderr was left out'),
    }),
    describeCall: commandEffects,
    run: async (args, { context, outputs }: ShellState, signal) => {
      const command = await readyCommand(context, args)
      const spools: Record<'stdout' | 'stderr', SpooledOutput> = {
        stdout: outputs.create(DEVICE_LIMITS.processOutput),
        stderr: outputs.create(DEVICE_LIMITS.processOutput),
      }
      const outcome = await runProcess({
        ...(args.terminal ? await inTerminal(command) : command),
        leadsSessions: args.terminal,
        stdin: args.stdin,
        timeoutMs: args.timeout_s * 1000,
        clock: context.clock,
        signal,
        onOutput: (stream, chunk) => spools[stream].add(chunk),
      }).catch((error: unknown) => Promise.reject(startError(command.file, error)))
      const idOf = (stream: 'stdout' | 'stderr', truncated: boolean): string | undefined => {
        if (!truncated) {
          spools[stream].discard()
          return undefined
        }
        const id = `output-${outputs.nextNumber()}`
        outputs.keep(id, spools[stream])
        return id
      }
      const told = {
        exit_code: outcome.ended === 'exit' ? outcome.exitCode : null,
        ended: outcome.ended,
        ...(outcome.ended === 'signal' && outcome.signal !== null ? { signal: outcome.signal } : {}),
        stdout: outcome.stdout,
        stderr: outcome.stderr,
        stdout_id: idOf('stdout', outcome.stdoutTruncated),
        stderr_id: idOf('stderr', outcome.stderrTruncated),
      }
      return programValue(told, failedRun(told, argvThatRan(args, shell), args.timeout_s * 1000))
    },
  })
}

/** The error of a program that could not be started, in words. */
export function startError(file: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'ENOENT') return deviceError('TOOL_FAILED', { tool: file, detail: 'there is no such program' })
  if (code === 'EACCES') return deviceError('TOOL_FAILED', { tool: file, detail: 'it is not a program, or may not be run' })
  return error
}
