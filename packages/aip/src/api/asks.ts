import { z } from 'zod'
import { body } from './body.js'
import { Position } from './position.js'

/** A call that waits on its device for approval. */
export const Ask = z
  .object({
    ask_id: z.string(),
    device_id: z.string(),
    session_id: z.string(),
    call_id: z.string(),
    tool: z.string(),
    arguments_hash: z.string().describe('SHA-256 of the arguments; the approval is for exactly these'),
    summary: z.string().describe('The whole call, and why it is asked about: all that an answer allows'),
    digest: z
      .string()
      .optional()
      .describe('SHA-256 of the tool, the hash of the arguments and the summary; older devices send none'),
    expires_at: z.string().describe('When the call is denied if there is no answer'),
  })
  .meta({ id: 'Ask', description: 'A call that waits on its device for approval' })
export type Ask = z.infer<typeof Ask>

export const AskList = z.object({ asks: z.array(Ask), position: Position })

/** An answer to an ask. */
export const AskAnswer = body({
  decision: z.enum(['allow', 'deny']),
  digest: z.string().optional().describe('The digest of the ask that was shown; with another one the answer is refused'),
})
export type AskAnswer = z.infer<typeof AskAnswer>
