// An MCP server over stdio that answers as it likes. Its seed is its argument; it dies now and then.
import { createInterface } from 'node:readline'

let state = Number(process.argv[2] ?? 1) + process.pid
const next = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}
const pick = (items) => items[Math.floor(next() * items.length)]
const say = (value) => process.stdout.write(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`)
const TEXTS = ['', '\u0000', '\u001b[31m', '\u202e', 'x'.repeat(100_000), '__proto__', '{"jsonrpc":', '[]', 'null', '1e999']
const anything = () => pick([null, 0, -1, true, [], {}, pick(TEXTS), [pick(TEXTS)], { [pick(TEXTS).slice(0, 40)]: pick(TEXTS) }])

const tool = (name) => ({
  name,
  description: pick(['good', anything()]),
  inputSchema: pick([{ type: 'object' }, { type: 'object' }, anything()]),
})

function resultOf({ method, params }) {
  if (method === 'initialize')
    return next() < 0.9
      ? {
          protocolVersion: params?.protocolVersion ?? '2025-06-18',
          capabilities: { tools: {} },
          serverInfo: { name: 'hostile', version: '1' },
        }
      : anything()
  if (method === 'tools/list')
    return { tools: [tool('poke'), ...(next() < 0.3 ? [anything(), tool(pick(TEXTS).slice(0, 200))] : [])] }
  return pick([
    { content: [{ type: 'text', text: pick(TEXTS) }] },
    { content: [anything()], structuredContent: anything() },
    { content: [{ type: 'image', data: pick(TEXTS), mimeType: pick(TEXTS).slice(0, 100) }], isError: anything() },
    anything(),
  ])
}

createInterface({ input: process.stdin }).on('line', (line) => {
  let request
  try {
    request = JSON.parse(line)
  } catch {
    return
  }
  if (next() < 0.05) process.exit(pick([0, 1, 137]))
  if (next() < 0.1)
    say(
      pick([
        ...TEXTS,
        { jsonrpc: '2.0', method: pick(TEXTS), params: anything() },
        { jsonrpc: '2.0', id: pick([1, 'x', null]), result: anything() },
      ]),
    )
  if (request.id === undefined) return
  if (next() < 0.1) return say({ jsonrpc: '2.0', id: request.id, error: pick([{ code: 1, message: pick(TEXTS) }, anything()]) })
  if (next() < 0.05) return
  say({ jsonrpc: '2.0', id: request.id, result: resultOf(request) })
})
