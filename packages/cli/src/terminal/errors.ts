import { inspect } from 'node:util'
import { tlsProblemOf, type TlsProblem } from '@orrery/aip'
import { CommanderError } from 'commander'
import { orrery } from './invocation.js'
import { joined, paint, painted, singleLine } from './painted.js'
import { note, noteText } from './write.js'

/** What the process exits with. `orrery` is an error of Orrery itself where a program's own code is expected. */
export const EXIT = { ok: 0, failed: 1, usage: 2, orrery: 125, interrupted: 130 } as const

/** Codes of the server that mean that the command was called with something wrong. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  'INVALID_INPUT',
  'INVALID_WORKFLOW',
  'INVALID_INPUTS',
  'WORKFLOW_NOT_FOUND',
  'EMPTY_REQUEST',
])

/** An error whose message is for the user: one line that says what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: number

  constructor(message: string, exitCode: number = EXIT.failed, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** An error in how a command was called. */
export function usageError(message: string, cause?: unknown): CliError {
  return new CliError(message, EXIT.usage, { cause })
}

/**
 * Returns an error as it ends a command whose exit code is that of a program: what the user called wrongly and an interruption keep their codes, everything
 * else is Orrery's own.
 */
export function orreryError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown
  if (thrown instanceof CliError && thrown.exitCode !== EXIT.failed) return thrown
  if ('code' in thrown && USAGE_CODES.has(String(thrown.code))) return thrown
  return isExpected(thrown) ? new CliError(messageFor(thrown), EXIT.orrery, { cause: thrown }) : thrown
}

/** Prints what was thrown as one line on stderr. @returns the exit code that fits */
export function report(thrown: unknown): number {
  // Commander has printed its own errors, help and version already.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const hint = isExpected(error) ? '' : ' (this should not happen; ORRERY_LOG_LEVEL=debug shows more)'
  printError(`${messageFor(error)}${hint}`)
  if (process.env['ORRERY_LOG_LEVEL']?.toLowerCase() === 'debug') noteText(inspect(error))
  if (error instanceof CliError) return error.exitCode
  return 'code' in error && USAGE_CODES.has(String(error.code)) ? EXIT.usage : EXIT.failed
}

/** The message of an error. Those of the SDK advise to set its options; here the same are flags. */
function messageFor(error: Error): string {
  if (error.name !== 'ApiClientError' || !('problem' in error && 'code' in error)) return error.message
  const advice = adviceFor(String(error.code), error)
  return advice === null ? error.message : `${String(error.problem)}: ${advice}`
}

function adviceFor(code: string, error: Error): string | null {
  if (code === 'UNAUTHORIZED')
    return "pass its operator key with --api-key or ORRERY_API_KEY; it is in the file operator.key of the server's ORRERY_HOME"
  if (code !== 'CONNECT_FAILED') return null
  const problem = tlsProblemOf(error)
  return problem === null ? `is it running? Try '${orrery('up')}'` : tlsAdvice(problem)
}

/** What to do about a connection that TLS does not allow. */
export function tlsAdvice(problem: TlsProblem): string {
  if (problem === 'not_tls') return 'does its address begin with http:// or ws://?'
  if (problem === 'expired') return 'renew it, or correct the clock'
  if (problem === 'other_fingerprint')
    return 'something is in between, or the server has a new one: look there before you trust it'
  return `pass --ca FILE with the certificate of its authority, or --fingerprint, which '${orrery('up')}' prints there`
}

/** Returns whether an error is not a defect: its message says all that a user needs. */
function isExpected(error: Error): boolean {
  if (error instanceof CliError) return true
  if (error.name === 'ApiClientError') return 'status' in error
  // Of the logs and of the system: no room, no permission, a folder that cannot be written.
  return error.name === 'LogError' || ('code' in error && 'syscall' in error)
}

/** Prints a message on stderr, marked as an error of this program. */
export function printError(message: string): void {
  // A workflow's mistakes come one a line; everything else is one line.
  const lines = message.split('\n').map((line) => singleLine(line))
  note(painted`${paint('red', 'orrery:')} ${joined(lines, '\n        ')}`)
}
