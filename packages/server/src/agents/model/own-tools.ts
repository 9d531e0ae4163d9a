import type { LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import { z } from 'zod'

/** The names of the tools that the server itself implements. */
export const OWN_TOOLS = ['finish', 'ask_user', 'return_to_host', 'find_tools'] as const

/** Returns whether the server itself implements a tool. */
export function isOwnTool(name: string): boolean {
  return (OWN_TOOLS as readonly string[]).includes(name)
}

const Finish = z.object({
  status: z.enum(['completed', 'failed']).default('completed'),
  result: z.string().default('').describe('The result for the user; if it failed, why'),
})
export const AskUser = z.object({ question: z.string().min(1).describe('The question, complete in itself') })
export const FindTools = z.object({ query: z.string().min(1).describe('What the tool is for, in a few words') })
export const ReturnToHost = z.object({ summary: z.string().describe('What was done in this application') })

const FINISH = own('finish', 'Ends the task, with its result.', Finish)
const ASK_USER = own(
  'ask_user',
  'Asks the user a question and waits for the answer. The user may not be there to answer.',
  AskUser,
)
const FIND_TOOLS = own(
  'find_tools',
  'The device has more tools than are offered to you. Finds some of them, which you can call from then on.',
  FindTools,
)
const RETURN_TO_HOST = own('return_to_host', 'Leaves this application and works on the desktop as HostAgent again.', ReturnToHost)

/**
 * Returns the tools that the server adds to those of the device.
 * @param inApplication whether there is a desktop to return to
 * @param hidden whether the device has tools that are not offered
 */
export function ownTools(inApplication: boolean, hidden: boolean): LanguageModelV4FunctionTool[] {
  return [FINISH, ASK_USER, ...(inApplication ? [RETURN_TO_HOST] : []), ...(hidden ? [FIND_TOOLS] : [])]
}

function own(name: (typeof OWN_TOOLS)[number], description: string, schema: z.ZodType): LanguageModelV4FunctionTool {
  const { $schema: _, ...inputSchema } = z.toJSONSchema(schema, { io: 'input' })
  return { type: 'function', name, description, inputSchema: inputSchema as LanguageModelV4FunctionTool['inputSchema'] }
}
