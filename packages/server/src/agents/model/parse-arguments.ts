import { parseWhole } from '@orrery/aip'

/** What a model wrote as the arguments of a call. */
export type ParsedArguments = { input: Record<string, unknown> } | { input: null; problem: string }

/** Characters that JSON does not allow in a text, as they are written there. */
const ESCAPES: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r`, '\t': String.raw`\t` }

/**
 * Reads the arguments of a call as models write them: JSON, JSON in a text, JSON between fences, with line breaks in its texts. What is cut
 * off or broken is not completed: that would be another call.
 */
export function parseArguments(text: string): ParsedArguments {
  // Some endpoints send no arguments at all for a tool without parameters.
  if (text.trim() === '') return { input: {} }
  const [, fenced] = /^\s*```\w*\n([\s\S]*?)\n?```\s*$/.exec(text) ?? []
  const value = parsed(fenced ?? text)
  const inner = typeof value === 'string' ? parsed(value) : value
  if (inner === null) return { input: {} }
  if (isObject(inner)) return { input: inner }
  return { input: null, problem: inner === undefined ? problemOf(fenced ?? text) : `they are ${kindOf(inner)}` }
}

function parsed(text: string): unknown {
  try {
    return parseWhole(text)
  } catch {
    try {
      return parseWhole(withEscapes(text))
    } catch {
      return undefined
    }
  }
}

/** Line breaks and tabs are escaped within texts, and only there. */
function withEscapes(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\[\s\S])*"/g, (quoted) =>
    quoted.replaceAll(/[\n\r\t]/g, (character) => ESCAPES[character] ?? ''),
  )
}

function problemOf(text: string): string {
  try {
    JSON.parse(text)
    return 'they are not JSON'
  } catch (error) {
    // The text around the place is what the model wrote itself.
    return error instanceof Error ? error.message : 'they are not JSON'
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
