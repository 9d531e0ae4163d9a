import type { FleetEvent } from '@orrery/aip/api'
import { describe, expect, it, vi } from 'vitest'
import { startCuttingProxy } from '../../../test/support/cutting-proxy.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient } from '../../../test/support/wire-client.js'
import { OrreryApi, type FollowOptions } from '../src/index.js'
import { json, scriptedServer, stream } from './scripted-server.js'

const EVENTS = 'GET /api/events'
const NO_ASKS = { 'GET /api/asks': json({ asks: [], position: 'p-0' }) }
const reconnect = { firstMs: 1, longestMs: 5, giveUpMs: 20 }

function apiOf(server: string): OrreryApi {
  return new OrreryApi({ server, apiKey: OPERATOR_KEY, reconnect })
}

/** Follows the fleet until it is disposed. */
class Follower implements AsyncDisposable {
  readonly events: FleetEvent[] = []
  readonly ended: Promise<unknown>
  readonly #stop = new AbortController()

  constructor(api: OrreryApi, options: FollowOptions = {}) {
    this.ended = this.#read(api, options).catch((error: unknown) => error)
  }

  /** Each event in short. */
  get lines(): string[] {
    return this.events.map((event) => {
      if (event.type === 'presence') return `${event.data.device_id} ${event.data.status}`
      if (event.type === 'session') return `session ${event.data.status}`
      return event.type === 'record' ? `record ${event.data.type}` : event.type
    })
  }

  stop(): Promise<unknown> {
    this.#stop.abort()
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #read(api: OrreryApi, options: FollowOptions): Promise<void> {
    for await (const event of api.events.follow({ signal: this.#stop.signal, ...options })) this.events.push(event)
  }
}

function frame(id: string | null, type: string, data: unknown): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

describe('api.events.follow', () => {
  it('continues after a list without a gap, and misses nothing when the connection is cut', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await using proxy = await startCuttingProxy(server.url)
    const api = apiOf(proxy.url)
    const { devices, position } = await api.call('devices.list', {})
    expect(devices).toEqual([])
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    await using follower = new Follower(api, { since: position, types: ['presence'] })
    await vi.waitFor(() => expect(follower.lines).toEqual(['d1 online']))
    // What the server sends now is lost on the way.
    proxy.swallowAnswers()
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd2' })
    proxy.cut()
    await vi.waitFor(() => expect(follower.lines).toEqual(['d1 online', 'd2 online']))
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd3' })
    await vi.waitFor(() => expect(follower.lines.at(-1)).toBe('d3 online'))
  })

  it('passes `reset` on when the server has restarted, and continues', async () => {
    const first = await startTestServer()
    const port = Number(new URL(first.url).port)
    await using follower = new Follower(apiOf(first.url))
    await vi.waitFor(async () => {
      await WireClient.register(first.url, DEVICE_KEY, { client_id: `d${follower.events.length}` })
      expect(follower.lines).toContain('d0 online')
    })
    await first.server.stop()
    await using second = await startTestServer({ port })
    await vi.waitFor(() => expect(follower.lines).toContain('reset'))
    expect(follower.lines.filter((line) => line === 'reset')).toHaveLength(1)
    await WireClient.register(second.url, DEVICE_KEY, { client_id: 'new' })
    await vi.waitFor(() => expect(follower.lines.at(-1)).toBe('new online'))
  })

  it('gives the records of one session too', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const api = apiOf(server.url)
    const session = await api.sessions.create({ device_id: 'd1', request: 'run one' })
    await using follower = new Follower(api, { session: session.session_id, since: 'long ago' })
    await vi.waitFor(() => expect(follower.lines).toContain('reset'))
    device.answer(await device.next())
    await vi.waitFor(() => expect(follower.lines).toEqual(expect.arrayContaining(['record ended', 'session completed'])))
  })

  it('knows where to continue before the first event has come', async () => {
    const answers = [stream([], 'cut'), stream([frame('p-2', 'reset', null)], 'open')]
    await using server = await scriptedServer({ ...NO_ASKS, [EVENTS]: answers })
    await using follower = new Follower(apiOf(server.url))
    await vi.waitFor(() => expect(follower.lines).toEqual(['reset']))
    const followed = server.seen.filter(({ line }) => line === EVENTS)
    expect(followed.map(({ headers }) => headers['last-event-id'])).toEqual(['p-0', 'p-0'])
  })

  it('waits for a server that has answered before, longer than the stream of a session does', async () => {
    const cut = Array.from({ length: 8 }, () => stream([], 'cut'))
    const answers = [...cut, stream([frame('p-2', 'reset', null)], 'open')]
    await using server = await scriptedServer({ ...NO_ASKS, [EVENTS]: answers })
    const patient = { firstMs: 1, longestMs: 200, giveUpMs: 20 }
    await using follower = new Follower(new OrreryApi({ server: server.url, reconnect: patient }))
    await vi.waitFor(() => expect(follower.lines).toEqual(['reset']))
  })

  it('ignores what only a newer server knows', async () => {
    const tomorrow = { seq: 1, session_id: 's', time: '', type: 'from_tomorrow', data: {} }
    const frames = [frame('p-1', 'weather', {}), frame(null, 'record', tomorrow), frame('p-2', 'reset', null)]
    await using server = await scriptedServer({ ...NO_ASKS, [EVENTS]: stream(frames, 'open') })
    await using follower = new Follower(apiOf(server.url))
    await vi.waitFor(() => expect(follower.lines).toEqual(['reset']))
  })

  it("ends by the caller's signal, a wrong key or an unknown session, and at once if no server ever answered", async () => {
    await using server = await startTestServer()
    const stopped = new Follower(apiOf(server.url))
    expect(await stopped.stop()).toMatchObject({ name: 'AbortError' })
    const wrongKey = new Follower(new OrreryApi({ server: server.url, apiKey: 'wrong', reconnect }))
    expect(await wrongKey.ended).toMatchObject({ code: 'UNAUTHORIZED', status: 401 })
    expect(await new Follower(apiOf(server.url), { session: 'no' }).ended).toMatchObject({
      code: 'SESSION_NOT_FOUND',
      status: 404,
    })
    await server.server.stop()
    expect(await new Follower(apiOf(server.url)).ended).toMatchObject({ code: 'CONNECT_FAILED' })
  })
})
