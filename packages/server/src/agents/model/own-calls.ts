import type { CallOutcome, Entry } from './conversation.js'
import { refused } from './device-side.js'
import { AskUser, Finish } from './own-tools.js'
import type { ToolCall } from './turn.js'
import { Untrusted } from './untrusted.js'

/** How the model ended its goal. */
export interface End {
  status: 'completed' | 'failed'
  result: string
}

/** What the server's own tools work on. */
export interface OwnCallsPort {
  /** Asks the user. @returns null without an answer in time */
  ask: (question: string) => Promise<string | null>
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

/** Answers a call of `finish`, `ask_user` or `return_to_host`. */
export async function answerOwnCall(call: ToolCall, port: OwnCallsPort): Promise<OwnOutcome> {
  switch (call.tool) {
    case 'finish':
      return finish(call, port.anyFailed)
    case 'ask_user':
      return askUser(call, port.ask)
    default:
      if (!port.inApplication) return { outcome: refused(call, 'You are on the desktop already') }
      return { outcome: done(call, 'back on the desktop'), left: true }
  }
}

function finish(call: ToolCall, anyFailed: boolean): OwnOutcome {
  const asked = Finish.safeParse(call.input)
  if (!asked.success) return { outcome: refused(call, 'finish needs a status and a result') }
  // What it believes to be done may not be.
  if (anyFailed && asked.data.status === 'completed')
    return { outcome: refused(call, 'Not finished: another call of this turn failed; look at it first') }
  return { outcome: done(call, 'finished'), end: asked.data }
}

async function askUser(call: ToolCall, ask: OwnCallsPort['ask']): Promise<OwnOutcome> {
  const asked = AskUser.safeParse(call.input)
  if (!asked.success) return { outcome: refused(call, 'ask_user needs a question') }
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
