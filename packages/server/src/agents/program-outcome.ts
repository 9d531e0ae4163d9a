import type { Result } from '@orrery/aip'

/** The names under which tools give the exit code of a program. */
const CODES = ['exit_code', 'exitCode', 'returncode', 'return_code', 'returnCode']
/** A result with one of these describes a program in the background: to look at it does not fail, however it ended. */
const OF_A_JOB = ['job_id', 'running']

/**
 * Returns why the program failed that a result is about; null if it did not. Existing devices report such a command as `success`, with
 * the exit code in its result; others report `failure` and keep that result.
 */
export function programFailure({ status, error, result }: Result): string | null {
  if (status === 'skipped' || status === 'none') return null
  const outcome = outcomeIn(result)
  if (outcome === null) return null
  const reason = reasonIn(outcome)
  return reason !== null && status === 'failure' && error !== null && error !== '' ? error : reason
}

/** Returns the exit code of the program that a result is about; null if there is none. */
export function exitCodeOf({ result }: Result): number | null {
  const outcome = outcomeIn(result)
  const name = CODES.find((each) => outcome !== null && each in outcome)
  const code = name === undefined ? null : outcome?.[name]
  return typeof code === 'number' ? code : null
}

/** Returns the outcome of a program in a result: an object, the same as JSON, or as a text of MCP. */
function outcomeIn(result: unknown): Record<string, unknown> | null {
  if (Array.isArray(result)) return result.length === 1 ? outcomeIn(textOf(result[0])) : null
  const value = typeof result === 'string' ? parsed(result) : result
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
}

function textOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'text' in item ? item.text : null
}

function parsed(text: string): unknown {
  // Most texts are not JSON: they are not parsed to find that out.
  if (!text.startsWith('{') || !CODES.some((name) => text.includes(name))) return null
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

function reasonIn(outcome: Record<string, unknown>): string | null {
  if (OF_A_JOB.some((name) => name in outcome)) return null
  const name = CODES.find((each) => each in outcome)
  const { error, signal, ended, success } = outcome
  const said = typeof error === 'string' && error !== '' ? error : null
  if (name === undefined) return success === false && said !== null ? said : null
  const code = outcome[name]
  if (code === 0) return null
  if (typeof code === 'number') return `the program ended with exit code ${code}`
  if (typeof signal === 'string' && signal !== '') return `the program was ended by ${signal}`
  if (ended === 'timeout') return said ?? 'the program was ended by its timeout'
  if (ended === 'cancelled') return said ?? 'the program was cancelled'
  return said ?? (success === false ? 'the program did not end by itself' : null)
}
