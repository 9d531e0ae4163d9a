import type { LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import { z } from 'zod'

/** The names of the tools that the server itself implements. */
export const OWN_TOOLS = ['finish', 'ask_user', 'return_to_host'] as const

export const Finish = z.object({
  status: z.enum(['completed', 'failed']).default('completed'),
  result: z.string().default('').describe('The result for the user; if it failed, why'),
})
export const AskUser = z.object({ question: z.string().min(1).describe('The question, complete in itself') })
export const ReturnToHost = z.object({ summary: z.string().describe('What was done in this application') })

const FINISH = own('finish', 'Ends the task, with its result.', Finish)
const ASK_USER = own(
  'ask_user',
  'Asks the user a question and waits for the answer. The user may not be there to answer.',
  AskUser,
)
const RETURN_TO_HOST = own('return_to_host', 'Leaves this application and works on the desktop as HostAgent again.', ReturnToHost)

/** Returns the tools that the server adds to those of the device. @param inApplication whether there is a desktop to return to */
export function ownTools(inApplication: boolean): LanguageModelV4FunctionTool[] {
  return inApplication ? [FINISH, ASK_USER, RETURN_TO_HOST] : [FINISH, ASK_USER]
}

function own(name: (typeof OWN_TOOLS)[number], description: string, schema: z.ZodType): LanguageModelV4FunctionTool {
  const { $schema: _, ...inputSchema } = z.toJSONSchema(schema, { io: 'input' })
  return { type: 'function', name, description, inputSchema: inputSchema as LanguageModelV4FunctionTool['inputSchema'] }
}
