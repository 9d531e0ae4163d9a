import { constants } from 'node:os'
import { EXIT } from '../terminal/errors.js'

/** How a program ended on a device, as the tools that run programs report it. */
export interface ProgramOutcome {
  /** Null if it did not exit by itself. */
  exitCode: number | null
  /** Name or number of the signal that ended it, where the device says so. */
  signal: string | number | null
  stdout: string
  stderr: string
  /** Ids for `read_output`, where the middle of an output was left out. */
  outputs: { stdout: string | null; stderr: string | null }
  /** Outputs of which the middle was left out. */
  cut: ('stdout' | 'stderr')[]
  /** Why there is no exit code. */
  error: string | null
}

/** Tools that run a program, whose failures without an exit code are not the program's. */
const PROGRAM_TOOLS: ReadonlySet<string> = new Set(['execute_command', 'run_command'])

/** Returns whether a tool runs a program and reports its exit code. */
export function runsProgram(tool: string): boolean {
  return PROGRAM_TOOLS.has(tool)
}

/** Reads the result of a tool that ran a program, of Orrery's devices and of existing ones; null if it is something else. */
export function programOutcome(value: unknown): ProgramOutcome | null {
  if (typeof value !== 'object' || value === null || !('exit_code' in value)) return null
  const fields: Record<string, unknown> = { ...value }
  const { exit_code: code, stdout, stderr, ended } = fields
  const known = code === null || (typeof code === 'number' && Number.isInteger(code))
  if (!known || (typeof stdout !== 'string' && typeof stderr !== 'string')) return null
  const outputs = { stdout: textOf(fields['stdout_id']), stderr: textOf(fields['stderr_id']) }
  const cut = (['stdout', 'stderr'] as const).filter((name) => outputs[name] !== null || fields[`${name}_truncated`] === true)
  return {
    exitCode: code,
    signal: signalOf(fields['signal'], code),
    stdout: textOf(stdout) ?? '',
    stderr: textOf(stderr) ?? '',
    outputs,
    cut,
    error: textOf(fields['error']) ?? (ended === 'timeout' || ended === 'cancelled' ? `ended by ${REASONS[ended]}` : null),
  }
}

const REASONS = { timeout: 'the timeout', cancelled: 'a cancellation' } as const

/**
 * Returns what this process exits with after a program: its exit code, 128+n after a signal, and the code of Orrery's own errors where it did not end
 * by itself.
 */
export function exitCodeOf({ exitCode, signal }: ProgramOutcome): number {
  if (signal !== null) {
    const names: Readonly<Record<string, number>> = constants.signals
    const number = typeof signal === 'number' ? signal : names[signal]
    return number === undefined ? EXIT.orrery : 128 + number
  }
  if (exitCode === null) return EXIT.orrery
  // A process has eight bits; what is not zero must not become it.
  return exitCode === 0 ? EXIT.ok : exitCode & 255 || EXIT.failed
}

/** Returns how a program ended, in words; null if it exited with 0. */
export function endInWords({ exitCode, signal, error }: ProgramOutcome): string | null {
  if (signal !== null) return typeof signal === 'number' ? `ended by signal ${signal}` : `ended by ${signal}`
  if (exitCode === null) return error ?? 'ended by a signal'
  return exitCode === 0 ? null : `exit code ${exitCode}`
}

/** Existing devices report a signal as a negative exit code, as Python does. */
function signalOf(named: unknown, code: number | null): string | number | null {
  if (typeof named === 'string' || typeof named === 'number') return named
  return code !== null && code < 0 && code > -128 ? -code : null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
