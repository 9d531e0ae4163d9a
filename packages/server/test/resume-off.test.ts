import { describe, expect, it, vi } from 'vitest'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const OFFER = { version: 1, features: ['journal', 'resume', 'cancel', 'progress'] }

/** A client that offers all that Orrery's clients can do. @returns it, and what the server agreed to */
async function capable(server: TestServer, identity: Json): Promise<{ client: WireClient; aip: Json }> {
  const client = await WireClient.connect(server.url, OPERATOR_KEY)
  client.send({ type: 'register', metadata: { platform: 'linux', aip: OFFER }, ...identity })
  const { aip } = (await client.next())['result'] as { aip: Json }
  return { client, aip }
}

const DEVICE = { client_id: 'd1' }
const CONSTELLATION = { client_id: 'c1', client_type: 'constellation' }
const TASK: Json = { type: 'task', client_type: 'constellation', target_id: 'd1', request: 'run one', session_id: 's1' }

describe('a server with resume: off', () => {
  it('agrees to no client that it may return to its sessions', async () => {
    await using server = await startTestServer({ resume: 'off' })
    for (const identity of [DEVICE, CONSTELLATION]) {
      const { aip } = await capable(server, identity)
      expect(aip).toEqual({ version: 1, features: ['cancel', 'progress'], heartbeat_ms: 30_000 })
    }
  })

  it('cancels all sessions of a device that drops, at once, and tells their constellation', async () => {
    await using server = await startTestServer({ resume: 'off', agents: [scriptedAgent] })
    const { client: device } = await capable(server, DEVICE)
    const { client: constellation } = await capable(server, CONSTELLATION)
    constellation.send(TASK)
    await device.next()
    constellation.send({ ...TASK, session_id: 's2' })
    device.terminate()
    const ends: Json[] = []
    while (ends.length < 2) {
      const message = await constellation.next()
      if (message['type'] === 'task_end') ends.push(message)
    }
    const error = 'Task was cancelled because target device disconnected'
    ends.sort((a, b) => String(a['session_id']).localeCompare(String(b['session_id'])))
    expect(ends).toMatchObject(['s1', 's2'].map((id) => ({ session_id: id, status: 'failed', error })))
    expect(server.log.lines).toContain('info [WS] 📱 Device d1 disconnected, cancelling 2 active session(s)')
    expect(server.log.lines).toContain('info [WS] d1 disconnected')
  })

  it('cancels all sessions of a constellation that drops, at once, and calls it back for none', async () => {
    await using server = await startTestServer({ resume: 'off', agents: [scriptedAgent] })
    const { client: device } = await capable(server, DEVICE)
    const { client: constellation } = await capable(server, CONSTELLATION)
    constellation.send(TASK)
    await device.next()
    constellation.terminate()
    expect(await device.next()).toMatchObject({ type: 'cancel', session_id: 's1' })
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'failed' })
    expect(server.log.lines).toContain('info [WS] 🌟 Constellation c1 disconnected, cancelling 1 active session(s)')
    expect(server.log.lines).toContain('info [WS] c1 disconnected')
    const { client: back } = await capable(server, CONSTELLATION)
    expect(back.pending()).toEqual([])
  })
})

describe('a device that may return and drops', () => {
  it('is logged, and a constellation with the feature progress hears at once that its session is paused, and when it runs again', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const { client: device, aip } = await capable(server, DEVICE)
    const { client: constellation } = await capable(server, CONSTELLATION)
    const plain = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c2', client_type: 'constellation' })
    constellation.send(TASK)
    expect(await constellation.next()).toMatchObject({ type: 'heartbeat', session_id: 's1' })
    const command = await device.next()
    device.terminate()
    expect(await constellation.next()).toMatchObject({
      type: 'progress',
      session_id: 's1',
      state: 'paused',
      status: 'continue',
      error: "Device 'd1' is not connected",
    })
    expect(server.log.lines).toContain('info [WS] 📱 Device d1 disconnected, awaiting its return for 1 active session(s)')
    expect(server.log.lines).toContain('info [WS] d1 disconnected')

    const back = await WireClient.connect(server.url, DEVICE_KEY)
    back.send({ type: 'register', ...DEVICE, metadata: { aip: { ...OFFER, resume_token: aip['resume_token'] } } })
    expect(await constellation.next()).toMatchObject({ type: 'progress', session_id: 's1', state: 'running', error: null })
    await back.next()
    back.answer({ ...(await back.next()), response_id: command['response_id'] })
    expect(await constellation.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'completed' })
    expect(plain.pending()).toEqual([])
  })

  it('is logged once more when it did not return in time: its sessions are cancelled', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent], resumeGraceMs: 1 })
    const { client: device } = await capable(server, DEVICE)
    await server.api('/api/sessions', { device_id: 'd1', request: 'run one' })
    await device.next()
    device.terminate()
    await vi.waitFor(() =>
      expect(server.log.lines).toContain('info [WS] 📱 Device d1 disconnected, cancelling 1 active session(s)'),
    )
  })

  it('is reported to a constellation that was away meanwhile, when it is back', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const { client: device } = await capable(server, DEVICE)
    const { client: constellation, aip } = await capable(server, CONSTELLATION)
    constellation.send(TASK)
    await device.next()
    constellation.terminate()
    device.terminate()
    await vi.waitFor(async () => expect((await server.api('/api/sessions/s1')).body).toMatchObject({ status: 'paused' }))
    const back = await WireClient.connect(server.url, OPERATOR_KEY)
    back.send({ type: 'register', ...CONSTELLATION, metadata: { aip: { ...OFFER, resume_token: aip['resume_token'] } } })
    expect(await back.next()).toMatchObject({ result: { aip: { session_ids: ['s1'] } } })
    expect(await back.next()).toMatchObject({ type: 'progress', session_id: 's1', state: 'paused' })
  })
})
