// An MCP server on stdio with the tool `echo`, which returns the text of the request as it came over the pipe.
import { createInterface } from 'node:readline'

const serverInfo = { name: 'echo', version: '1' }
const tools = [{ name: 'echo', description: 'Returns the request', inputSchema: { type: 'object' } }]

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  const results = {
    initialize: { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo },
    'tools/list': { tools },
    'tools/call': { content: [{ type: 'text', text: line }] },
  }
  if (id !== undefined) process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: results[method] ?? {} })}\n`)
})
