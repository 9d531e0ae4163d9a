import { describe, expect, it } from 'vitest'
import { ManualClock, settle } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'
import { SERVER_LIMITS } from '../src/limits.js'

const { messageBurst: BURST, messageRate: RATE, messageOverload: OVERLOAD } = SERVER_LIMITS
const HEARTBEAT: Json = { type: 'heartbeat' }

function send(client: WireClient, count: number, message: Json = HEARTBEAT): void {
  for (let index = 0; index < count; index += 1) client.send(message)
}

async function takeAnswers(client: WireClient, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await client.next()
}

describe('a client that sends many messages', () => {
  it('may send a burst; what comes above it waits for its turn at the rate', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const client = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    send(client, BURST + RATE)
    await takeAnswers(client, BURST)
    await server.api('/healthz')
    expect(client.pending()).toEqual([])
    await clock.advance(1000)
    await takeAnswers(client, RATE)
    // It is read again, and may send as many as its rate gives.
    await clock.advance(OVERLOAD)
    send(client, RATE)
    await takeAnswers(client, RATE)
  })

  it('is closed with 1008 if it is still above its rate after two seconds', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const client = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const other = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd2' })
    send(client, 20 * BURST)
    await takeAnswers(client, BURST)
    for (let passed = 0; passed < OVERLOAD + 200; passed += 100) {
      await clock.advance(100)
      await settle()
    }
    const answers = []
    let end = await client.nextWithin(60_000)
    for (; end !== null && 'message' in end; end = await client.nextWithin(60_000)) answers.push(end)
    expect(end).toEqual({ close: { code: 1008, reason: 'rate limit' } })
    expect(answers.length).toBeLessThanOrEqual((RATE * (OVERLOAD + 200)) / 1000)
    other.send(HEARTBEAT)
    expect(await other.next()).toMatchObject({ type: 'heartbeat' })
  })

  it('may send any number of results that are waited for, and progress of calls that run', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock, agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, {
      client_id: 'd1',
      metadata: { platform: 'linux', aip: { version: 1, features: ['progress'] } },
    })
    const session = server.api('/api/devices/d1/commands', { commands: [{ tool_name: 'echo', parameters: {} }] })
    const command = await device.next()
    const [action] = command['actions'] as Json[]
    send(device, 2 * BURST, {
      type: 'progress',
      session_id: command['session_id'],
      call_id: action?.['call_id'],
      progress: 1,
    })
    device.answer(command)
    expect((await session).body).toMatchObject({ status: 'completed' })
    // None of them counted.
    send(device, BURST)
    await device.next()
    await takeAnswers(device, BURST)
  })
})

describe('the log of a connection', () => {
  it('has so many lines a minute, and counts the others', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const client = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'd1' })
    const count = 2 * SERVER_LIMITS.clientLogLines
    for (let index = 0; index < count; index += 1) client.sendRaw('no JSON')
    await takeAnswers(client, count)
    const errors = (): number => server.log.lines.filter((line) => line.startsWith('error')).length
    expect(errors()).toBeLessThan(SERVER_LIMITS.clientLogLines)
    await clock.advance(SERVER_LIMITS.clientLogTime)
    const before = errors()
    client.sendRaw('no JSON')
    await client.next()
    expect(errors()).toBe(before + 1)
    expect(server.log.lines).toContainEqual(expect.stringMatching(/^warn \[WS\] \d+ more lines about this client were left out$/))
  })
})
