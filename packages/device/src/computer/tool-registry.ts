import type { Tool } from '@modelcontextprotocol/client'
import type { MCPToolInfo, ToolType } from '@orrery/aip'
import type { MCPServer } from '../mcp/mcp-server.js'

/** The meta tool of each type: it lists the others. */
export const LIST_TOOLS = 'list_tools'

/** A tool that can be called. */
export interface RegisteredTool {
  info: MCPToolInfo
  server: MCPServer
  /** The tool as its server describes it; its name there may differ from the registered one. */
  tool: Tool
}

/** The key of a tool. */
export function toolKey(type: ToolType, name: string): string {
  return `${type}::${name}`
}

/**
 * Registers the tools of servers, in their order. Of two tools with one name in one type the second is registered as
 * `namespace.tool`; the meta tool's name counts as taken.
 */
export function buildRegistry(servers: readonly MCPServer[]): Map<string, RegisteredTool> {
  const registry = new Map<string, RegisteredTool>()
  for (const server of servers) {
    for (const tool of server.tools) {
      const plain = toolKey(server.toolType, tool.name)
      const taken = registry.has(plain) || tool.name === LIST_TOOLS
      const name = taken ? `${server.name}.${tool.name}` : tool.name
      const info = describeTool(server, tool, name)
      if (!registry.has(info.tool_key)) registry.set(info.tool_key, { info, server, tool })
    }
  }
  return registry
}

function describeTool(server: MCPServer, tool: Tool, name: string): MCPToolInfo {
  return {
    tool_key: toolKey(server.toolType, name),
    tool_name: name,
    title: tool.title ?? null,
    namespace: server.name,
    tool_type: server.toolType,
    description: tool.description ?? null,
    input_schema: tool.inputSchema,
    output_schema: tool.outputSchema ?? null,
    meta: tool._meta ?? null,
    annotations: tool.annotations === undefined ? null : { ...tool.annotations },
  }
}
