import type { CallOutcome, Entry } from './conversation.js'
import type { z } from 'zod'
import { notAnObject, refused } from './device-side.js'
import { readFinish, type End } from './finish-call.js'
import { AskUser, FindTools } from './own-tools.js'
import type { ToolCall } from './turn.js'
import { Untrusted } from './untrusted.js'

/** What the server's own tools work on. */
export interface OwnCallsPort {
  /** Asks the user. @returns null without an answer in time */
  ask: (question: string) => Promise<string | null>
  /** Finds tools that are offered from then on. @returns what the device says of them; null if there are none */
  findTools: (query: string) => Untrusted | null
  /** Whether there is a desktop to return to. */
  inApplication: boolean
  /** Whether another call of the same turn failed. */
  anyFailed: boolean
}

/** The outcome of one call of the server's own tools. */
export interface OwnOutcome {
  outcome: CallOutcome
  end?: End
  /** The model leaves its role. */
  left?: true
  /** What the user said: it must not look like data of the device, so it is said after the results. */
  said?: Entry
}

/** Answers a call of one of the server's own tools. */
export async function answerOwnCall(call: ToolCall, port: OwnCallsPort): Promise<OwnOutcome> {
  switch (call.tool) {
    case 'finish':
      return finish(call, port.anyFailed)
    case 'ask_user':
      return askUser(call, port.ask)
    case 'find_tools':
      return findTools(call, port.findTools)
    default:
      if (!port.inApplication) return { outcome: refused(call, 'You are on the desktop already') }
      return { outcome: done(call, 'back on the desktop'), left: true }
  }
}

function finish(call: ToolCall, anyFailed: boolean): OwnOutcome {
  const end = call.input === null ? { problem: notAnObject(call) } : readFinish(call.input)
  if ('problem' in end) return { outcome: refused(call, `Not finished: ${end.problem}`) }
  // What it believes to be done may not be.
  if (anyFailed && end.status === 'completed')
    return { outcome: refused(call, 'Not finished: another call of this turn failed; look at it first') }
  return { outcome: done(call, 'finished'), end }
}

function findTools(call: ToolCall, find: OwnCallsPort['findTools']): OwnOutcome {
  const asked = FindTools.safeParse(call.input)
  if (!asked.success) return { outcome: refused(call, problemOf(call, asked.error)) }
  const found = find(asked.data.query)
  if (found === null) return { outcome: refused(call, 'No tool has these words in its name or description: try others') }
  return { outcome: { ...done(call, ''), text: Untrusted.lines(['You can call these now:', found]) } }
}

async function askUser(call: ToolCall, ask: OwnCallsPort['ask']): Promise<OwnOutcome> {
  const asked = AskUser.safeParse(call.input)
  if (!asked.success) return { outcome: refused(call, problemOf(call, asked.error)) }
  const { question } = asked.data
  const answer = await ask(question)
  if (answer === null)
    return {
      outcome: refused(call, 'There was no answer. Decide yourself if that is safe; otherwise finish with status "failed".'),
    }
  return {
    outcome: done(call, 'answered; the answer is in the next message of the user'),
    said: { kind: 'user', text: `The answer to "${question}":\n${answer}` },
  }
}

function done({ id, tool }: ToolCall, text: string): CallOutcome {
  return { callId: id, tool, status: 'success', text: new Untrusted(text), images: [] }
}

/** Says which argument is wrong, and how. */
function problemOf(call: ToolCall, { issues }: z.ZodError): string {
  if (call.input === null) return notAnObject(call)
  return `${call.tool}: ${issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`
}
