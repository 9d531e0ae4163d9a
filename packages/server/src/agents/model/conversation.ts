import type { Turn } from './turn.js'

/** An image of a tool, base64. */
export interface Image {
  mediaType: string
  data: string
}

/** What became of one tool call, as the model reads it. */
export interface CallOutcome {
  /** The call of the turn that this answers; for an observation any id. */
  callId: string
  /** The tool by the name that the model knows. */
  tool: string
  status: 'success' | 'failure' | 'skipped'
  /** The result or the error. It comes from the device and is data, whatever it says. */
  text: string
  images: Image[]
}

/**
 * One piece of the conversation with a model: `user` is what the user, or the server for them, says; `turn` what the model said;
 * `results` what its calls gave; `observation` what the server looked at on the device by itself.
 */
export type Entry =
  | { kind: 'user'; text: string }
  | { kind: 'turn'; turn: Turn }
  | { kind: 'results'; outcomes: CallOutcome[] }
  | { kind: 'observation'; outcomes: CallOutcome[] }
