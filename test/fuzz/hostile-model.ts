import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Random } from '../faults/random.ts'
import { bytes, hostileJson, hostileText, mutated } from './hostile-values.ts'

/** The endpoint of a model that answers anything, at this address. */
export async function startHostileModel(random: Random): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => answer(random, response))
    request.on('error', () => {})
    response.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/v1`, server }
}

function answer(random: Random, response: ServerResponse): void {
  const status = random.chance(0.8) ? 200 : random.pick([400, 401, 404, 408, 429, 500, 503])
  const retry = { 'retry-after': random.pick(['0', '-1', 'soon', '99999999']) }
  switch (random.between(0, 5)) {
    case 0:
      response.writeHead(status, {
        'content-type': random.pick(['application/json', 'text/html', 'text/event-stream']),
        ...retry,
      })
      return void response.end(bytes(random, 100))
    case 1:
      response.writeHead(status, { 'content-type': 'application/json', ...retry })
      return void response.end(JSON.stringify(hostileJson(random)))
    case 2:
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"choices":[{"delta":{"content":"')
      return void response.destroy()
    default:
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let count = random.between(1, 6); count > 0; count -= 1) response.write(`data: ${JSON.stringify(chunkOf(random))}\n\n`)
      return void response.end(random.chance(0.8) ? 'data: [DONE]\n\n' : '')
  }
}

/** A piece of a streamed answer, more or less in its form. */
function chunkOf(random: Random): unknown {
  const call = {
    index: 0,
    id: 'c',
    type: 'function',
    function: {
      name: random.pick(['stat_file', 'finish', '']),
      arguments: random.pick(['{}', '{"path":"."}', '[', hostileText(random)]),
    },
  }
  const delta = random.chance(0.5) ? { role: 'assistant', content: hostileText(random) } : { tool_calls: [mutated(random, call)] }
  const choice = { index: 0, delta, finish_reason: random.pick([null, 'stop', 'tool_calls', 'length']) }
  return mutated(random, {
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'hostile',
    choices: [mutated(random, choice)],
  })
}
