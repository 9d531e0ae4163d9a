import { LIMITS, wireTime } from '@orrery/aip'
import { describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

/** A device whose owner lets operators answer, in the middle of a session. */
async function asking(
  server: TestServer,
  clock: ManualClock,
  more: Json = {},
): Promise<{ device: WireClient; sessionId: string; ask: Json; command: Json }> {
  const device = await WireClient.connect(server.url, DEVICE_KEY)
  const aip = { version: 1, features: ['journal', 'resume', 'ask'] }
  device.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
  expect((await device.next())['result']).toMatchObject({ aip: { features: ['journal', 'resume', 'ask'] } })
  const sessionId = String((await server.api('/api/sessions', { device_id: 'd1', request: 'run one' })).body['session_id'])
  const command = await device.next()
  const [action] = command['actions'] as Json[]
  const ask = {
    type: 'ask',
    session_id: sessionId,
    ask_id: 'a1',
    call_id: action?.['call_id'],
    tool: 'one',
    arguments_hash: 'hash',
    summary: 'one {}\nwhy',
    expires_at: wireTime(clock.now() + 60_000),
    ...more,
  }
  device.send(ask)
  await vi.waitFor(async () => expect(await open(server)).toHaveLength(1))
  return { device, sessionId, ask, command }
}

const open = async (server: TestServer): Promise<unknown> => (await server.api('/api/asks')).body['asks']

describe('a call that waits for permission', () => {
  it('was sent with who asked for what, for its owner to see', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], clock })
    const { command } = await asking(server, clock)
    expect(command).toMatchObject({ requested_by: 'operator', user_request: 'run one' })
  })

  it('is listed with all that the decision is about, and is in the events of its session', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], clock })
    const { device, sessionId, ask, command } = await asking(server, clock)
    expect(await open(server)).toEqual([
      {
        ask_id: 'a1',
        device_id: 'd1',
        session_id: sessionId,
        call_id: ask['call_id'],
        tool: 'one',
        arguments_hash: 'hash',
        summary: 'one {}\nwhy',
        expires_at: ask['expires_at'],
      },
    ])
    device.send(ask)
    device.answer(command)
    const approvals = (await server.events(sessionId)).filter(({ type }) => type === 'approval')
    expect(approvals).toMatchObject([{ data: { ask_id: 'a1', tool: 'one' } }])
    expect(await open(server)).toEqual([])
  })

  it('is answered once', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], clock })
    const { device, sessionId } = await asking(server, clock)
    expect((await server.api('/api/asks/a1', { decision: 'perhaps' })).status).toBe(422)
    expect((await server.api('/api/asks/a1', { decision: 'allow' })).status).toBe(200)
    expect(await device.next()).toMatchObject({
      type: 'answer',
      ask_id: 'a1',
      session_id: sessionId,
      decision: 'allow',
      by: 'operator',
    })
    expect((await server.api('/api/asks/a1', { decision: 'deny' })).body).toMatchObject({ code: 'ASK_NOT_FOUND' })
  })

  it('is answered only as it was shown: an answer with another digest is refused, and the device gets the digest', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], clock })
    const { device } = await asking(server, clock, { digest: 'd1' })
    expect(await open(server)).toMatchObject([{ digest: 'd1' }])
    const other = await server.api('/api/asks/a1', { decision: 'allow', digest: 'd2' })
    expect([other.status, other.body['code']]).toEqual([409, 'ASK_DIFFERS'])
    expect((await server.api('/api/asks/a1', { decision: 'allow', digest: 'd1' })).status).toBe(200)
    expect(await device.next()).toMatchObject({ type: 'answer', ask_id: 'a1', decision: 'allow', digest: 'd1' })
  })

  it('is not listed if it is too long to be shown whole', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], clock })
    const { device, ask } = await asking(server, clock)
    device.send({ ...ask, ask_id: 'a2', summary: 'x'.repeat(LIMITS.askedCall + 1) })
    device.send({ type: 'heartbeat' })
    expect(await device.next()).toMatchObject({ type: 'heartbeat' })
    expect(await open(server)).toMatchObject([{ ask_id: 'a1' }])
  })

  it('is gone when its time is over', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], clock })
    await asking(server, clock)
    await clock.advance(60_000)
    expect(await open(server)).toEqual([])
  })

  it('is not taken from a device that the session does not run on, nor from one that did not offer it', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], clock })
    const { ask } = await asking(server, clock)
    const other = await WireClient.connect(server.url, DEVICE_KEY)
    other.send({ type: 'register', client_id: 'd2', metadata: { platform: 'linux', aip: { version: 1, features: ['ask'] } } })
    await other.next()
    other.send({ ...ask, ask_id: 'a2' })
    const plain = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd3' })
    plain.send({ ...ask, ask_id: 'a3' })
    expect(await plain.next()).toMatchObject({ type: 'error' })
    other.send({ type: 'heartbeat' })
    expect(await other.next()).toMatchObject({ type: 'heartbeat' })
    expect(await open(server)).toHaveLength(1)
  })
})
