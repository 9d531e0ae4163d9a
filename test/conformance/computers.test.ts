import { McpServer } from '@modelcontextprotocol/server'
import { silentLogger, systemClock } from '@orrery/aip'
import { BUILT_IN_NAMES, ComputerManager, DeviceConfig, MCPServerManager } from '@orrery/device'
import { describe, expect, it } from 'vitest'

/** A server manager with one server of this name and, where the configuration says so, the built-in ones. */
function serversOf(name: string, config: DeviceConfig): MCPServerManager {
  const factory = (): McpServer => {
    const server = new McpServer({ name, version: '1.0.0' })
    server.registerTool(`tool-of-${name}`, {}, () => ({ content: [{ type: 'text', text: name }] }))
    return server
  }
  const common = { clock: systemClock, logger: silentLogger, env: process.env, cwd: process.cwd() }
  return new MCPServerManager({ config, localServers: { [name]: factory }, ...common })
}

describe('computers', () => {
  it('are made from the servers of their manager, which are those of the configuration [S-149]', async () => {
    const off = Object.fromEntries(BUILT_IN_NAMES.map((name) => [name, false]))
    const bare = DeviceConfig.parse({ tools: off })
    const shell = DeviceConfig.parse({ tools: { ...off, BashExecutor: true } })
    for (const [name, config, expected] of [
      ['one', bare, ['tool-of-one']],
      ['two', shell, ['execute_command', 'get_system_info', 'tool-of-two']],
    ] as const) {
      const servers = serversOf(name, config)
      servers.createServersFromConfig()
      try {
        const computers = new ComputerManager(config, servers)
        const computer = computers.getOrCreate({ agentName: 'LinuxAgent', processName: null, rootName: null })
        const listing = { tool_name: 'list_tools', tool_type: 'action', parameters: {}, call_id: 'c' } as const
        const { result } = await computer.run(listing, { signal: new AbortController().signal })
        expect((result as { tool_name: string }[]).map(({ tool_name }) => tool_name).toSorted()).toEqual(expected)
      } finally {
        await servers.stop()
      }
    }
  })
})
