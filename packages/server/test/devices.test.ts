import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const TOOL = { tool_key: 'action::echo', tool_name: 'echo', namespace: 'Test', tool_type: 'action' }
const FEATURES = ['journal', 'resume', 'cancel', 'progress', 'concurrent']

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'orrery-devices-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

/** A device of Orrery, as far as the wire goes. */
async function capable(server: TestServer, id = 'd1', features = FEATURES): Promise<WireClient> {
  const metadata = { platform: 'linux', system_info: { hostname: 'lab' }, aip: { version: 1, features } }
  return WireClient.register(server.url, DEVICE_KEY, { client_id: id, metadata })
}

async function pushed(device: WireClient, metadata: Json): Promise<void> {
  device.send({ type: 'device_info_response', metadata })
  device.send({ type: 'heartbeat' })
  expect(await device.next()).toMatchObject({ type: 'heartbeat' })
}

async function tools(server: TestServer): Promise<Json> {
  return (await server.api('/api/devices/d1/tools')).body
}

describe('the tools of a device', () => {
  it('are those that it pushed, at once, while a session runs there and after it has gone', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await capable(server)
    await pushed(device, { tools: [TOOL], mcp_servers: [] })
    const { listed_at: listedAt } = await tools(server)
    expect(typeof listedAt).toBe('string')
    await server.api('/api/sessions', { device_id: 'd1', request: 'run slow' })
    await device.next()
    expect(await tools(server)).toMatchObject({ tools: [TOOL], listed_at: listedAt })
    device.terminate()
    await vi.waitFor(async () => expect((await server.api('/api/devices/d1')).body).toMatchObject({ status: 'offline' }))
    expect(await tools(server)).toMatchObject({ tools: [TOOL], listed_at: listedAt })
  })

  it('are known after a restart, like the device itself', async () => {
    const before = await startTestServer({ dataDir })
    const device = await capable(before)
    await pushed(device, { tools: [TOOL] })
    await before[Symbol.asyncDispose]()
    await using server = await startTestServer({ dataDir })
    expect((await server.api('/api/devices/d1')).body).toMatchObject({
      status: 'offline',
      platform: 'linux',
      system_info: { hostname: 'lab' },
      features: FEATURES,
      last_seen_at: expect.stringMatching(/Z$/) as unknown,
    })
    expect(await tools(server)).toMatchObject({ tools: [TOOL] })
  })

  it('of one that never listed them and is busy are none, and nothing waits', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    await server.api('/api/sessions', { device_id: 'd1', request: 'run slow' })
    await device.next()
    expect(await tools(server)).toEqual({ tools: [], listed_at: null })
  })

  it('of one that lists them only when asked are asked for once a connection, for 2 s at most', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const silent = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    silent.showsListing = true
    const asked = tools(server)
    await silent.next()
    await clock.advance(LIMITS.toolListTime)
    expect(await asked).toMatchObject({ code: 'AGENT_FAILED' })
    // A user who wants the list again gets it asked for again.
    const again = tools(server)
    silent.answer(await silent.next(), [TOOL])
    expect(await again).toMatchObject({ tools: [TOOL] })
    expect(await tools(server)).toMatchObject({ tools: [TOOL] })
    expect(silent.pending()).toEqual([])
  })
})

describe('what a device says of itself', () => {
  it('keeps the tags that the server gave it when it says more', async () => {
    const file = join(dataDir, 'devices.yaml')
    writeFileSync(file, 'devices:\n  d1:\n    tags: [gpu]\n')
    await using server = await startTestServer({ devicesFile: file })
    const device = await capable(server)
    await pushed(device, { hostname: 'renamed' })
    const { body } = await server.api('/api/devices/d1')
    expect(body['system_info']).toMatchObject({ hostname: 'renamed', tags: ['gpu'] })
  })

  it('is bounded, in one push and in all together: what is too large is refused, and the rest stays', async () => {
    await using server = await startTestServer()
    const device = await capable(server)
    for (const [name, size] of [
      ['a', 40_000],
      ['b', 40_000],
      ['c', 900_000],
    ] as const) {
      device.send({ type: 'device_info_response', metadata: { [name]: 'x'.repeat(size) } })
      if (name !== 'a')
        expect(await device.next()).toMatchObject({ type: 'error', error: expect.stringContaining('limit') as unknown })
    }
    const { body } = await server.api('/api/devices/d1')
    expect(Object.keys(body['system_info'] as Json)).toEqual(['hostname', 'a'])
  })

  it('is not wiped by an MCP state that the server does not know', async () => {
    await using server = await startTestServer()
    const device = await capable(server)
    await pushed(device, { mcp_servers: [{ name: 'files', state: 'dreaming', tools: 2, error: null }] })
    expect((await server.api('/api/devices/d1')).body).toMatchObject({
      system_info: { hostname: 'lab' },
      mcp_servers: [{ name: 'files', state: 'unknown', tools: 2 }],
    })
  })
})

describe('a concurrent command', () => {
  async function busy(server: TestServer, features?: string[]): Promise<{ device: WireClient; command: Json }> {
    const device = await capable(server, 'd1', features)
    await server.api('/api/sessions', { device_id: 'd1', request: 'run slow' })
    return { device, command: await device.next() }
  }
  const read = { commands: [{ tool_name: 'look' }], concurrent: true }

  it('runs beside the running session, recorded like any other, and the device stays busy with the one', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const { device, command } = await busy(server)
    const answer = server.api('/api/devices/d1/commands', read)
    const second = await device.next()
    expect(second).toMatchObject({ type: 'command', concurrent: true, actions: [{ tool_name: 'look' }] })
    expect((await server.api('/api/devices/d1')).body).toMatchObject({
      status: 'busy',
      current_session_id: command['session_id'],
    })
    device.answer(second, 'seen')
    const { body } = await answer
    expect(body).toMatchObject({ status: 'completed', results: [{ result: 'seen' }] })
    expect((await server.events(String(body['session_id']))).map(({ type }) => type)).toEqual([
      'accepted',
      'commands_sent',
      'results_received',
      'ended',
    ])
  })

  it('waits in line on a device that cannot do that, which is sent no word of it', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const { device, command } = await busy(server, ['journal', 'resume'])
    const answer = server.api('/api/devices/d1/commands', read)
    device.answer(command)
    expect(await device.next()).toMatchObject({ type: 'results_ack' })
    expect(await device.next()).toMatchObject({ type: 'task_end' })
    const queued = await device.next()
    expect(queued).toMatchObject({ type: 'command', actions: [{ tool_name: 'look' }] })
    expect(queued).not.toHaveProperty('concurrent')
    device.answer(queued)
    expect((await answer).body).toMatchObject({ status: 'completed' })
  })

  it('is paused with the device and continues with it', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.connect(server.url, DEVICE_KEY)
    const aip = { version: 1, features: FEATURES }
    device.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
    const { resume_token: token } = ((await device.next())['result'] as { aip: Json }).aip
    const answer = server.api('/api/devices/d1/commands', read)
    const sent = await device.next()
    device.terminate()
    const id = String(sent['session_id'])
    await vi.waitFor(async () => expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'paused' }))
    const back = await WireClient.connect(server.url, DEVICE_KEY)
    back.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip: { ...aip, resume_token: token } } })
    expect(await back.next()).toMatchObject({ status: 'ok' })
    const again = await back.next()
    expect(again).toMatchObject({ response_id: sent['response_id'], concurrent: true })
    back.answer(again, 'seen')
    expect((await answer).body).toMatchObject({ status: 'completed', results: [{ result: 'seen' }] })
  })
})
