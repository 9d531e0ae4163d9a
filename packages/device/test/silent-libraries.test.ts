import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'
import { DeviceConfig } from '../src/index.js'
import { ALLOW_ALL, onlyTools } from './support/config.js'
import { toolCaller } from './support/tool-caller.js'

const SERVER = fileURLToPath(new URL('fixtures/said-server.mjs', import.meta.url))
const said = (what: object): object => ({ command: process.execPath, args: [SERVER], env: { SAID: JSON.stringify(what) } })
const CONSOLE = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const

it('keeps to itself what libraries say about odd MCP servers', async () => {
  const spies = CONSOLE.map((method) => vi.spyOn(console, method).mockImplementation(() => {}))
  const output = vi.spyOn(process.stdout, 'write')
  try {
    const initialize = { protocolVersion: '2025-06-18', capabilities: { resources: {} }, serverInfo: { name: 'r', version: '1' } }
    const format = { type: 'object', properties: { n: { type: 'integer', format: 'uint32' } }, required: ['n'] }
    const odd = { type: 'object', properties: { h: { type: 'object', 'x-mcp-header': 'bad header' } } }
    const config = DeviceConfig.parse({
      tools: onlyTools('files'),
      policy: ALLOW_ALL,
      mcpServers: {
        resources: said({ initialize }),
        formats: said({
          tools: [
            { name: 'count', inputSchema: format, outputSchema: format },
            { name: 'odd name!', inputSchema: odd },
          ],
          answers: { count: { content: [], structuredContent: { n: 'x' } } },
        }),
      },
    })
    await using tools = await toolCaller({ config })
    const listed = await tools.value<{ tool_name: string }[]>('list_tools')
    expect(listed.map(({ tool_name }) => tool_name)).toEqual(expect.arrayContaining(['count', 'odd name!']))
    expect(await tools.value('count', { n: 1 })).toEqual({ n: 'x' })
    await tools.call('odd name!')
    expect(spies.flatMap(({ mock }) => mock.calls)).toEqual([])
    expect(output.mock.calls).toEqual([])
  } finally {
    vi.restoreAllMocks()
  }
})
