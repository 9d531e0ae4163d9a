import { z } from 'zod'
import { body } from './body.js'
import { Position } from './position.js'
import { WaitsFor } from '../records/waits-for.js'

/** A session waits as `accepted`, is `paused` while its device is away, and ends as one of the last three. */
export const SessionStatus = z.enum(['accepted', 'running', 'paused', 'completed', 'failed', 'cancelled'])
export type SessionStatus = z.infer<typeof SessionStatus>

/** Returns whether a session with this status has ended. */
export function hasEnded(status: SessionStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

/** What a session has used of a model so far. */
export const Usage = z
  .object({
    turns: z.number().int(),
    input_tokens: z.number().int(),
    output_tokens: z.number().int(),
    cached_tokens: z.number().int().describe("How much of the input came from the provider's cache"),
    cost_usd: z.number().nullable().describe('US dollars; null if a price is unknown'),
  })
  .meta({ id: 'Usage', description: 'What a session has used of a model so far' })
export type Usage = z.infer<typeof Usage>

/** A session. Times are ISO-8601. */
export const Session = z
  .object({
    session_id: z.string(),
    run_id: z.string().describe("The log's key: session ids may repeat, run ids never do"),
    device_id: z.string(),
    task_name: z.string(),
    agent: z.string().nullable().describe('The agent that runs it; null until one is chosen'),
    status: SessionStatus,
    request: z.string().describe('The request in words; for direct commands, a short form of them'),
    result: z.unknown().describe("The agent's own value; for direct commands the list of results"),
    error: z.string().nullable(),
    steps: z.number().int().describe('Number of batches of commands so far'),
    usage: Usage.nullable().default(null).describe('Null if no model was used'),
    question: z
      .object({ question_id: z.string(), text: z.string() })
      .nullable()
      .default(null)
      .describe('The open question to the user, if there is one'),
    waits_for: WaitsFor.nullable().default(null).describe('What it waits for now; null if it runs, or has ended'),
    created_at: z.string(),
    started_at: z.string().nullable(),
    ended_at: z.string().nullable(),
  })
  .meta({ id: 'Session', description: 'One task on one device' })
export type Session = z.infer<typeof Session>

export const SessionList = z.object({ sessions: z.array(Session), position: Position })

/** Query of the session list. */
export const SessionQuery = z.object({
  device_id: z.string().optional(),
  status: SessionStatus.optional(),
  limit: z.coerce.number<number>().int().min(1).max(500).default(50),
  before: z.string().optional().describe('A run id: only older sessions are listed'),
})
export type SessionQuery = z.input<typeof SessionQuery>

/** A remark that a user adds to the request of a running session. */
export const Remark = body({ text: z.string().min(1).max(20_000) })
export type Remark = z.infer<typeof Remark>

/** The answer to the question of a session. */
export const QuestionAnswer = body({
  text: z.string().min(1).max(20_000),
  question_id: z.string().optional().describe('Default: the open question'),
})
export type QuestionAnswer = z.infer<typeof QuestionAnswer>
