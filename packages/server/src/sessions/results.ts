import { type Command, type Result } from '@orrery/aip'
import { serverErrorText } from '../errors.js'

/** Makes one failure per command, for a batch without an answer. */
export function failures(commands: readonly Command[], textOf: (command: Command) => string): Result[] {
  return commands.map((command) => ({
    status: 'failure',
    error: textOf(command),
    result: null,
    namespace: null,
    call_id: command.call_id,
  }))
}

/**
 * Returns exactly one result per command, in the order of the commands, whatever the device sent: results are matched by call id,
 * those without one by position; missing ones become failures, surplus ones are dropped.
 */
export function matchResults(commands: readonly Command[], results: readonly Result[]): Result[] {
  const byCall = new Map<string, Result>()
  for (const result of results) if (result.call_id !== null && !byCall.has(result.call_id)) byCall.set(result.call_id, result)
  return commands.map((command, index) => {
    const named = command.call_id === null ? undefined : byCall.get(command.call_id)
    const placed = results[index]?.call_id === null ? results[index] : undefined
    const result = named ?? placed
    if (result !== undefined) return { ...result, call_id: command.call_id }
    return {
      status: 'failure',
      error: serverErrorText('RESULT_MISSING'),
      result: null,
      namespace: null,
      call_id: command.call_id,
    }
  })
}
