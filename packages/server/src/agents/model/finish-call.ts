import { z } from 'zod'
import { withoutThoughts } from './thoughts.js'

/** How the model ended its goal. */
export interface End {
  status: 'completed' | 'failed'
  /** A text, as a rule; empty if there is none. */
  result: unknown
}

/** The words with which models say how a task ended. */
const COMPLETED = /^(completed?|success(ful(ly)?)?|succeeded|done|finish(ed)?|ok(ay)?|passed|true|yes)$/i
const FAILED = /^(fail(ed|ure)?|error(ed)?|unsuccessful|aborted|cancell?ed|impossible|incomplete|not[ _-]completed|false|no)$/i

const Status = z.union([z.string(), z.boolean(), z.null()]).optional()

/** Reads the arguments of `finish` as models write them. @returns the end, or what is wrong with which argument */
export function readFinish(input: Record<string, unknown>): End | { problem: string } {
  const { status: given, result: named, ...others } = input
  const status = Status.safeParse(given)
  if (!status.success) return { problem: `status must be "completed" or "failed", not ${JSON.stringify(given)}` }
  const word = String(status.data ?? '').trim()
  const failed = FAILED.test(word)
  if (word !== '' && !failed && !COMPLETED.test(word))
    return { problem: `status must be "completed" or "failed", not ${JSON.stringify(given)}` }
  // Some models invent a name for the result.
  const values = Object.values(others).filter((value) => value !== null)
  const result = named ?? (values.length > 1 ? others : (values[0] ?? ''))
  return {
    status: failed ? 'failed' : 'completed',
    result: typeof result === 'string' ? withoutThoughts(result).toWellFormed() : result,
  }
}
