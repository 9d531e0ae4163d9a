import type { CallOutcome } from './conversation.js'
import type { ToolCall } from './turn.js'
import { SERVER_LIMITS } from '../../limits.js'
import { serverError } from '../../errors.js'

/** Counts calls that fail in the same way again and again, with nothing that succeeds in between. */
export class RepeatedFailures {
  readonly #counts = new Map<string, number>()

  /**
   * Takes note of how a call ended.
   * @returns what to say to the model about it; null if nothing
   * @throws AipError `MODEL_STOPPED` if the same call has failed too often
   */
  note(call: ToolCall, { status, text }: CallOutcome): string | null {
    if (status === 'success') this.#counts.clear()
    if (status !== 'failure') return null
    const key = JSON.stringify([call.tool, call.input])
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, count)
    if (count >= SERVER_LIMITS.repeatedCalls) {
      const why = text.line(SERVER_LIMITS.modelOldResult).enclosed((line) => line)
      throw serverError('MODEL_STOPPED', {
        reason: `it made the same call of '${call.tool}' ${count} times, which always failed: ${why}`,
      })
    }
    if (count < SERVER_LIMITS.repeatedCall) return null
    return `You have made the same call of ${call.tool} ${count} times, and it always failed. Do something else: change it, try another way, or finish with status "failed". After ${SERVER_LIMITS.repeatedCalls} times the task is stopped.`
  }
}
