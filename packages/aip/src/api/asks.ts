import { z } from 'zod'
import { Position } from './position.js'

/** A call that waits on its device for approval. */
export const Ask = z
  .object({
    ask_id: z.string(),
    device_id: z.string(),
    session_id: z.string(),
    call_id: z.string(),
    tool: z.string(),
    arguments_hash: z.string().describe('SHA-256 of the arguments that exactly this approval is about'),
    summary: z.string().describe('The whole call'),
    expires_at: z.string().describe('When it is denied unless somebody answers'),
  })
  .meta({ id: 'Ask', description: 'A call that waits on its device for approval' })
export type Ask = z.infer<typeof Ask>

export const AskList = z.object({ asks: z.array(Ask), position: Position })

/** An answer to an ask. */
export const AskAnswer = z.object({ decision: z.enum(['allow', 'deny']) })
export type AskAnswer = z.infer<typeof AskAnswer>
