// A device that offers a tool of your own beside the built-in ones. The tool is an MCP server inside the device's process; one in
// a process of its own goes into device.jsonc under mcpServers.
import assert from 'node:assert/strict'
import { McpServer } from '@modelcontextprotocol/server'
import { OrreryApi } from '@orrery/constellation'
import { startDevice } from '@orrery/device'
import { startServer } from '@orrery/server'
import { z } from 'zod'

function thermometer(): McpServer {
  const server = new McpServer({ name: 'thermometer', version: '1.0.0' })
  server.registerTool(
    'read_temperature',
    {
      description: 'The temperature of a room, in degrees Celsius',
      inputSchema: z.object({ room: z.string() }),
      // What only reads is allowed; for anything else the owner of the device is asked, or has a rule in its policy.
      annotations: { readOnlyHint: true },
    },
    ({ room }) => ({ content: [{ type: 'text', text: room === 'kitchen' ? '21.5' : '19.0' }] }),
  )
  return server
}

const server = await startServer({ port: 0, operatorKey: 'operator', deviceKey: 'device' })
const device = startDevice({
  serverUrl: `${server.url.replace('http', 'ws')}/ws`,
  token: 'device',
  clientId: 'lab',
  localServers: { thermometer },
})
await device.registered

const api = new OrreryApi({ server: server.url, apiKey: 'operator' })
const tools = (await api.devices.tools('lab')).map((tool) => tool.tool_name)
console.log(tools.join(', '))
assert.ok(tools.includes('read_temperature'))
const { results } = await api.devices.runCommands('lab', {
  commands: [{ tool_name: 'read_temperature', parameters: { room: 'kitchen' } }],
})
console.log(results[0]?.result, '°C')
assert.equal(results[0]?.result, '21.5')

await device.stop()
await server.stop()
