import type { CallToolResult } from '@modelcontextprotocol/server'
import { clip, messageOf } from '@orrery/aip'

/** The answer of a tool that could not do its work. @param thrown an error, or its text */
export function toolError(thrown: unknown): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: clip(messageOf(thrown)) }] }
}

/** The answer of a tool with an output schema: the value, and the same as text for clients that read only that. */
export function toolValue(value: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value }
}
