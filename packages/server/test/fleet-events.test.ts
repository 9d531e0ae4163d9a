import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

interface Heard {
  id: string
  event: string
  data: Json
}

/** Reads the stream of the fleet until it is disposed. */
class FleetStream implements AsyncDisposable {
  readonly events: Heard[] = []
  readonly #abort = new AbortController()
  #ended: Promise<void> = Promise.resolve()

  static async open(server: TestServer, query = '', headers: Record<string, string> = {}): Promise<FleetStream> {
    const stream = new FleetStream()
    const { signal } = stream.#abort
    const response = await fetch(`${server.url}/api/events${query}`, {
      headers: { 'x-api-key': OPERATOR_KEY, ...headers },
      signal,
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    stream.#ended = stream.#read(response).catch(() => {})
    return stream
  }

  of(event: string): Json[] {
    return this.events.filter((heard) => heard.event === event).map(({ data }) => data)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    await this.#ended
  }

  async #read(response: Response): Promise<void> {
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString()
      const parts = text.split('\n\n')
      text = parts.pop() ?? ''
      for (const part of parts) {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? ''
        if (field('event') !== '') {
          this.events.push({ id: field('id'), event: field('event'), data: JSON.parse(field('data')) as Json })
        }
      }
    }
  }
}

async function device(server: TestServer, id = 'd1'): Promise<WireClient> {
  return WireClient.register(server.url, DEVICE_KEY, { client_id: id })
}

async function begin(server: TestServer, request: string): Promise<string> {
  return String((await server.api('/api/sessions', { device_id: 'd1', request })).body['session_id'])
}

describe('the stream of the fleet', () => {
  it('reports devices that come and go, and sessions as they are', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await using stream = await FleetStream.open(server)
    const d1 = await device(server)
    await vi.waitFor(() => expect(stream.of('presence').at(-1)).toMatchObject({ device_id: 'd1', status: 'online' }))
    const id = await begin(server, 'run one')
    await vi.waitFor(() =>
      expect(stream.of('session').at(-1)).toMatchObject({ session_id: id, status: 'running', agent: 'scripted' }),
    )
    d1.answer(await d1.next(), 'secret result')
    await vi.waitFor(() =>
      expect(stream.of('session').at(-1)).toMatchObject({ session_id: id, status: 'completed', result: null }),
    )
    d1.close()
    await vi.waitFor(() => expect(stream.of('presence').at(-1)).toMatchObject({ device_id: 'd1', status: 'offline' }))
  })

  it('shows a device as busy while a session runs there, and not afterwards', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server)
    await using stream = await FleetStream.open(server)
    await begin(server, 'run one')
    const command = await d1.next()
    await vi.waitFor(() => expect(stream.of('presence').at(-1)).toMatchObject({ status: 'busy' }))
    d1.answer(command)
    await vi.waitFor(() => expect(stream.of('presence').at(-1)).toMatchObject({ status: 'online' }))
  })

  it.each(['since', 'Last-Event-ID'])('continues from a position without a gap (%s)', async (how) => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server)
    const { position } = (await server.api('/api/sessions')).body
    const missed = await begin(server, 'nothing')
    await server.events(missed)
    d1.close()
    await using stream = await (how === 'since'
      ? FleetStream.open(server, `?since=${String(position)}`)
      : FleetStream.open(server, '?since=older', { 'last-event-id': String(position) }))
    await vi.waitFor(() => expect(stream.of('session').at(-1)).toMatchObject({ session_id: missed, status: 'completed' }))
    await vi.waitFor(() => expect(stream.of('presence').at(-1)).toMatchObject({ device_id: 'd1', status: 'offline' }))
    const last = stream.events.at(-1)?.id ?? ''
    await device(server, 'd2')
    await using next = await FleetStream.open(server, `?since=${last}`)
    await vi.waitFor(() => expect(next.of('presence').map(({ device_id: id }) => id)).toEqual(['d2']))
  })

  it('answers a position that is too old with reset, and continues from now', async () => {
    await using server = await startTestServer()
    await using stream = await FleetStream.open(server, '?since=00000000-5')
    await vi.waitFor(() => expect(stream.events).toMatchObject([{ event: 'reset', data: null }]))
    await device(server)
    await vi.waitFor(() => expect(stream.of('presence')).toHaveLength(1))
  })

  it('gives only the types that are asked for, and refuses others', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await using stream = await FleetStream.open(server, '?types=session')
    await device(server)
    const id = await begin(server, 'nothing')
    await vi.waitFor(() => expect(stream.of('session').at(-1)).toMatchObject({ session_id: id, status: 'completed' }))
    expect(stream.of('presence')).toEqual([])
    expect(await server.api('/api/events?types=session,weather')).toMatchObject({
      status: 422,
      body: { code: 'INVALID_INPUT', detail: "types: 'weather' is none of session, presence, ask" },
    })
  })

  it('carries the records and progress of one session where it is asked for', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server)
    const id = await begin(server, 'run one')
    const command = await d1.next()
    await using stream = await FleetStream.open(server, `?session=${id}&types=presence`)
    const [action] = command['actions'] as Json[]
    d1.send({ type: 'progress', session_id: id, call_id: action?.['call_id'], progress: 1, total: 2, message: 'half' })
    await vi.waitFor(() =>
      expect(stream.of('record')).toMatchObject([{ type: 'progress', data: { message: 'half', tool: 'one' } }]),
    )
    d1.answer(command)
    await vi.waitFor(() => {
      expect(stream.of('record').map(({ type }) => type)).toEqual(['progress', 'results_received', 'ended'])
    })
    expect(await server.api('/api/events?session=none')).toMatchObject({ status: 404, body: { code: 'SESSION_NOT_FOUND' } })
  })

  it('reports approvals that are asked for, and that they no longer wait', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await WireClient.register(server.url, DEVICE_KEY, {
      client_id: 'd1',
      metadata: { platform: 'linux', aip: { version: 1, features: ['ask'] } },
    })
    const id = await begin(server, 'run one')
    const command = await d1.next()
    const [action] = command['actions'] as Json[]
    await using stream = await FleetStream.open(server, '?types=ask')
    d1.send({
      type: 'ask',
      session_id: id,
      ask_id: 'a1',
      call_id: action?.['call_id'],
      tool: 'one',
      arguments_hash: 'h',
      summary: 'one {}',
      expires_at: new Date(Date.now() + 60_000).toISOString(),
    })
    await vi.waitFor(() => expect(stream.of('ask').at(-1)).toMatchObject({ ask_id: 'a1', ask: { summary: 'one {}' } }))
    await server.api('/api/asks/a1', { decision: 'allow' })
    await vi.waitFor(() => expect(stream.of('ask').at(-1)).toEqual({ ask_id: 'a1', ask: null }))
  })

  it('does not keep the server from stopping, nor does a connection on which nothing was asked yet', async () => {
    const server = await startTestServer()
    const response = await fetch(`${server.url}/api/events`, { headers: { 'x-api-key': OPERATOR_KEY } })
    const { port } = server.server
    const unused = connect(port, '127.0.0.1')
    await once(unused, 'connect')
    await server[Symbol.asyncDispose]()
    expect(await response.text()).toBe('')
    await once(unused, 'close')
  })
})
