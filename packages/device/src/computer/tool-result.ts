import type { CallToolResult } from '@modelcontextprotocol/client'

type Json = Record<string, unknown>

/**
 * The value of a tool's answer (design, "From tool to `Result.result`"): structured content, else a single text as it is, else the
 * list of MCP content items.
 * @param outputSchema of the tool; it says whether `{result: x}` is only a wrapping of x
 */
export function resultValue(answer: CallToolResult, outputSchema: Json | undefined): unknown {
  const structured: unknown = answer.structuredContent
  if (structured !== undefined && structured !== null) return isWrapped(structured, outputSchema) ? structured.result : structured
  const [first] = answer.content
  return answer.content.length === 1 && first?.type === 'text' ? first.text : answer.content
}

/** The text of a tool's answer that reports an error. */
export function errorOf(answer: CallToolResult): string {
  const text = answer.content.flatMap((item) => (item.type === 'text' ? [item.text] : [])).join('\n')
  return text === '' ? 'The tool reported an error without a text' : text
}

/** FastMCP and the 2025 protocol wrap a value that is not an object as `{result: x}`. */
function isWrapped(structured: unknown, schema: Json | undefined): structured is { result: unknown } {
  if (!isObject(structured) || !('result' in structured) || Object.keys(structured).length !== 1) return false
  if (schema === undefined || schema['x-fastmcp-wrap-result'] === true) return true
  const properties = schema['properties']
  return !isObject(properties) || Object.keys(properties).every((key) => key === 'result')
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
