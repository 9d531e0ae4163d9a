import type { Turn } from './turn.js'
import type { Untrusted } from './untrusted.js'

/** An image from a tool, in base64. */
export interface Image {
  mediaType: string
  data: string
}

/** The outcome of one tool call, as the model reads it. */
export interface CallOutcome {
  /** The call that this answers; for an observation, any id. */
  callId: string
  /** The tool, by its name for the model. */
  tool: string
  status: 'success' | 'failure' | 'skipped'
  /** The result or the error. */
  text: Untrusted
  images: Image[]
}

/**
 * One entry of the conversation with a model: `user` is what the user says, or the server for them; `turn` is what the model said;
 * `results` are those of its calls; `observation` is what the server itself looked at on the device; `summary` is what is left of older turns.
 */
export type Entry =
  | { kind: 'user'; text: string }
  | { kind: 'turn'; turn: Turn }
  | { kind: 'results'; outcomes: CallOutcome[] }
  | { kind: 'observation'; outcomes: CallOutcome[] }
  | { kind: 'summary'; text: Untrusted }
