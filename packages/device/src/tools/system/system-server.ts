import type { McpServer } from '@modelcontextprotocol/server'
import { listDisks, listProcesses, machineInfo, networkInfo } from './system-tools.js'

/** The tools of the server `system`. */
export const SYSTEM_TOOLS = [machineInfo, listProcesses, listDisks, networkInfo] as const

/** The built-in server `system`: what the machine is and how it is doing. */
export async function createSystemServer(): Promise<McpServer> {
  const { McpServer } = await import('@modelcontextprotocol/server')
  const server = new McpServer({ name: 'system', version: '1.0.0' })
  for (const tool of SYSTEM_TOOLS) tool.register(server, null)
  return server
}
