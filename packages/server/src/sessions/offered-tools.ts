import { MCPToolInfo } from '@orrery/aip'
import { z } from 'zod'
import { isTransferTool } from './transfer-tools.js'

/**
 * Returns the tools of a device that an agent is offered: those that it can call, with the arguments that it has to pass.
 * @param listed the result of `list_tools`
 * @param added returns the arguments that the server adds to the calls of a tool
 * @throws ZodError if the device did not list tools
 */
export function offeredTools(listed: unknown, added: (toolName: string) => readonly string[]): MCPToolInfo[] {
  return z
    .array(MCPToolInfo)
    .parse(listed ?? [])
    .filter((tool) => !isTransferTool(tool))
    .map((tool) => withoutArguments(tool, added(tool.tool_name)))
}

function withoutArguments(tool: MCPToolInfo, names: readonly string[]): MCPToolInfo {
  if (names.length === 0 || tool.input_schema === null) return tool
  const { properties, required } = tool.input_schema
  const known = typeof properties === 'object' && properties !== null ? Object.entries(properties) : []
  return {
    ...tool,
    input_schema: {
      ...tool.input_schema,
      properties: Object.fromEntries(known.filter(([name]) => !names.includes(name))),
      ...(Array.isArray(required) ? { required: required.filter((name) => !names.includes(String(name))) } : {}),
    },
  }
}
