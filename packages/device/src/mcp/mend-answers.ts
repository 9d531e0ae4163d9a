import type { CallToolResult, Tool } from '@modelcontextprotocol/client'
import type { ClientSdk } from './connection.js'

type Json = Record<string, unknown>

/** Fields of a tool that may be missing, in the order in which a bad one is dropped. */
const OPTIONAL_OF_TOOL = ['icons', '_meta', 'execution', 'outputSchema', 'annotations', 'title', 'description'] as const

/**
 * Reads the answers of an MCP server as leniently as their sense allows: languages without optional fields write `null`, programs that make
 * schemas leave parts out. What cannot be mended is reported and left out alone.
 */
export class AnswerMender {
  readonly #sdk: ClientSdk
  readonly #report: (flaw: string) => void

  /** @param report gets one line for each thing that was left out */
  constructor(sdk: ClientSdk, report: (flaw: string) => void) {
    this.#sdk = sdk
    this.#report = report
  }

  /** Mends the result of a request of this method; other results stay as they are. */
  mend(method: string, result: unknown): unknown {
    if (method === 'initialize') return mendGreeting(result)
    if (method === 'tools/list') return this.#mendList(result)
    if (method === 'tools/call') return this.#mendAnswer(result)
    return result
  }

  #mendList(result: unknown): unknown {
    if (!isObject(result)) return result
    const { tools, nextCursor, ...rest } = withoutNulls(result)
    return {
      ...rest,
      tools: (Array.isArray(tools) ? tools : []).flatMap((tool: unknown) => this.#mendTool(tool) ?? []),
      ...(typeof nextCursor === 'string' && nextCursor !== '' ? { nextCursor } : {}),
    }
  }

  /** Returns a tool that the SDK takes, or null. */
  #mendTool(tool: unknown): Tool | null {
    if (!isObject(tool) || typeof tool['name'] !== 'string' || tool['name'] === '') {
      this.#report('a tool without a name is left out')
      return null
    }
    const { name } = tool
    const mended: Json = { ...withoutNulls(tool), inputSchema: mendSchema(tool['inputSchema']) }
    if (isObject(mended['annotations'])) mended['annotations'] = withoutNulls(mended['annotations'])
    if (mended['inputSchema'] === null) {
      this.#report(`the tool '${name}' is left out: its inputSchema does not describe an object`)
      return null
    }
    for (const optional of [null, ...OPTIONAL_OF_TOOL]) {
      if (optional !== null && !(optional in mended)) continue
      if (optional !== null) {
        delete mended[optional]
        this.#report(`the tool '${name}' is used without its ${optional}, which is not valid`)
      }
      if (this.#sdk.isSpecType.Tool(mended)) return mended
    }
    this.#report(`the tool '${name}' is left out: its description is not valid`)
    return null
  }

  /** A tool that has run cannot be undone by refusing its answer, so every answer becomes one that can be passed on. */
  #mendAnswer(result: unknown): unknown {
    if (!isObject(result) || 'inputRequests' in result || 'task' in result) return result
    const { content, structuredContent, isError, _meta, ...rest } = withoutNulls(result)
    const items = Array.isArray(content) ? content : content === undefined ? [] : [content]
    return {
      ...rest,
      content: items.map((item: unknown) => this.#mendItem(item)),
      ...(structuredContent === undefined ? {} : { structuredContent: wrapped(structuredContent) }),
      ...(isError === undefined ? {} : { isError: isError === true || isError === 'true' }),
      ...(isObject(_meta) ? { _meta } : {}),
    }
  }

  #mendItem(item: unknown): CallToolResult['content'][number] {
    if (typeof item === 'string') return { type: 'text', text: item }
    const mended = isObject(item) ? withoutNulls(item) : item
    if (this.#sdk.isSpecType.ContentBlock(mended)) return mended
    return { type: 'text', text: JSON.stringify(item) }
  }
}

function mendGreeting(result: unknown): unknown {
  if (!isObject(result)) return result
  const { capabilities, serverInfo, instructions, ...rest } = withoutNulls(result)
  const info = isObject(serverInfo) ? withoutNulls(serverInfo) : {}
  const { name, version } = info
  return {
    ...rest,
    // Some forget to say that they have tools, and they are asked for them in any case.
    capabilities: { tools: {}, ...(isObject(capabilities) ? withoutNulls(capabilities) : {}) },
    serverInfo: {
      name: typeof name === 'string' ? name : 'unknown',
      version: typeof version === 'string' ? version : JSON.stringify(version ?? null),
    },
    ...(typeof instructions === 'string' ? { instructions } : {}),
  }
}

/** Returns a schema that says that it describes an object; null if it describes something else. */
function mendSchema(schema: unknown): Json | null {
  if (schema === undefined || schema === null || schema === true) return { type: 'object' }
  if (!isObject(schema)) return null
  const { type, properties, required, ...rest } = withoutNulls(schema)
  if (type !== undefined && type !== 'object' && !(Array.isArray(type) && type.includes('object'))) return null
  return {
    ...rest,
    type: 'object',
    ...(isObject(properties)
      ? { properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, isObject(value) ? value : {}])) }
      : {}),
    ...(Array.isArray(required) ? { required: required.filter((key) => typeof key === 'string') } : {}),
  }
}

/** The protocol before 2026 knows only objects as structured content. */
function wrapped(structured: unknown): Json {
  return isObject(structured) ? structured : { result: structured }
}

function withoutNulls(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null))
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
