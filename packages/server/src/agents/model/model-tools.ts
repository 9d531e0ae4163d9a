import { createHash } from 'node:crypto'
import type { LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import { startOf, type MCPToolInfo } from '@orrery/aip'
import { SERVER_LIMITS } from '../../limits.js'
import { acceptableSchema } from './acceptable-schema.js'
import { proseIn } from './tool-prose.js'

/** The tools of a device in the form for a model. */
export interface ModelTools {
  list: LanguageModelV4FunctionTool[]
  /** The device's names of tools by their names for the model. */
  names: ReadonlyMap<string, string>
  /** What the device says of its tools, by their names for the model. */
  prose: Readonly<Record<string, ToolProse>>
}

/** What a device says of one of its tools. */
export interface ToolProse {
  description: string
  /** Of arguments, by their path. */
  arguments: Readonly<Record<string, string>>
}

/** What a model's provider is given as the description of each tool: that of the device is data. */
const DESCRIBED = 'A tool of the device, which describes it in its own words in the first message.'

/**
 * Turns the tools of a device into tools of a model. Names are the same for the same set of tools, in any order.
 * @param reserved names that are already taken
 */
export function modelTools(tools: readonly MCPToolInfo[], reserved: readonly string[]): ModelTools {
  const sorted = [...new Map(tools.map((tool) => [tool.tool_name, tool])).values()].sort((a, b) =>
    a.tool_name < b.tool_name ? -1 : 1,
  )
  const taken = new Set(reserved)
  const given = new Map<string, string>()
  // A name that is valid unchanged goes to the tool that has it; others get a suffix.
  for (const { tool_name: name } of sorted) {
    if (safeName(name) !== name || taken.has(name)) continue
    given.set(name, name)
    taken.add(name)
  }
  for (const { tool_name: name } of sorted) {
    if (given.has(name)) continue
    const safe = safeName(name)
    const free =
      taken.has(safe) || safe.length < name.length ? `${safe.slice(0, SERVER_LIMITS.modelToolName - 7)}_${digest(name)}` : safe
    given.set(name, free)
    taken.add(free)
  }
  const list = sorted.map((tool) => ({
    type: 'function' as const,
    name: given.get(tool.tool_name) ?? tool.tool_name,
    description: DESCRIBED,
    inputSchema: acceptableSchema(tool.input_schema),
  }))
  const prose = sorted.map((tool): [string, ToolProse] => [
    given.get(tool.tool_name) ?? tool.tool_name,
    {
      description: startOf(tool.description ?? tool.title ?? '', SERVER_LIMITS.modelToolDescription),
      arguments: proseIn(tool.input_schema),
    },
  ])
  return { list, names: new Map([...given].map(([name, known]) => [known, name])), prose: Object.fromEntries(prose) }
}

function safeName(name: string): string {
  const safe = name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, SERVER_LIMITS.modelToolName)
  // Some providers require a letter first.
  return /^[a-zA-Z_]/.test(safe) ? safe : `_${safe}`.slice(0, SERVER_LIMITS.modelToolName)
}

function digest(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 6)
}
