import { LIMITS, agentNameFor, type DevicePush, type PushedTool } from '@orrery/aip'
import { buildRegistry } from '../computer/tool-registry.js'
import type { UFOClient } from '../computer/ufo-client.js'
import { sessionPlatform } from '../info/device-info-provider.js'
import type { MCPServer } from '../mcp/mcp-server.js'

/** Returns the MCP servers of a device, and the tools that are ready for the agent of its platform. */
export function deviceState({ mcpServerManager: servers, platform }: UFOClient): DevicePush {
  const agent = agentNameFor(sessionPlatform(platform))
  const { tools, omitted } = cut(readyTools(servers.serversFor(agent, 'default')), LIMITS.toolList)
  return { mcp_servers: servers.servers.map(({ status }) => status), tools, tools_omitted: omitted }
}

/** Names are given as all servers count, so that a tool keeps its name while another server is down. */
function readyTools(servers: readonly MCPServer[]): PushedTool[] {
  return [...buildRegistry(servers).values()].flatMap(({ info, server }) =>
    server.state === 'ready' ? [{ ...info, trusted: server.trusted }] : [],
  )
}

/** Leaves out the last tools where the list would have more than `limit` bytes. */
function cut(all: readonly PushedTool[], limit: number): { tools: PushedTool[]; omitted: number } {
  const tools: PushedTool[] = []
  let size = 2
  for (const tool of all) {
    size += Buffer.byteLength(JSON.stringify(tool)) + 1
    if (size > limit) break
    tools.push(tool)
  }
  return { tools, omitted: all.length - tools.length }
}
