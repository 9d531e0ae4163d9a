import type { CallToolResult } from '@modelcontextprotocol/client'
import { messageOf } from '@orrery/aip'

type Json = Record<string, unknown>

/**
 * The value of a tool's answer (design, "From tool to `Result.result`"): structured content, else a single text as it is, else the
 * list of MCP content items.
 * @param outputSchema of the tool; it says whether `{result: x}` is only a wrapping of x
 */
export function resultValue(answer: CallToolResult, outputSchema: Json | undefined): unknown {
  const structured: unknown = answer.structuredContent
  if (hasValue(answer)) return isWrapped(structured, outputSchema) ? structured.result : structured
  const [first] = answer.content
  return answer.content.length === 1 && first?.type === 'text' ? first.text : answer.content
}

/** Returns whether an answer has structured content. */
export function hasValue({ structuredContent }: CallToolResult): boolean {
  return structuredContent !== undefined && structuredContent !== null
}

/** The text of a tool's answer that reports an error; some servers give the reason as structured content. */
export function errorOf(answer: CallToolResult): string {
  // For clients that read only text, structured content is there a second time.
  const again = answer.structuredContent === undefined ? null : JSON.stringify(answer.structuredContent)
  const texts = answer.content.flatMap((item) => (item.type === 'text' && item.text !== again ? [item.text] : []))
  const text = texts.join('\n')
  if (text !== '') return text
  return !hasValue(answer) ? 'The tool reported an error without a text' : JSON.stringify(answer.structuredContent)
}

/** The reason of a call that failed by an error of the protocol, which may hold more than its message. */
export function reasonOf(error: unknown): string {
  const data = error instanceof Error && 'data' in error && 'code' in error ? error.data : undefined
  const more = data === undefined || data === null ? '' : typeof data === 'string' ? data : JSON.stringify(data)
  return more === '' || more === '{}' ? messageOf(error) : `${messageOf(error)} ${more}`
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
