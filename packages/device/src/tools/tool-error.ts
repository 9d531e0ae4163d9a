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

/** The answer of a tool that did its work, and what it tells is a failure: the reason, and the value in both forms. */
export function failedValue(value: Record<string, unknown>, reason: string): CallToolResult {
  const { content, structuredContent } = toolValue(value)
  return { isError: true, content: [{ type: 'text', text: reason }, ...content], structuredContent }
}
