import { describe, expect, it } from 'vitest'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const SMALL_FRAME = 64 * 1024
const LARGE = 'x'.repeat(SMALL_FRAME)

function taskOf(sessionId: string): Json {
  const ids = { session_id: sessionId, request_id: sessionId, target_id: 'd1' }
  return { type: 'task', client_type: 'constellation', request: 'run one', ...ids }
}

function offer(maxFrame: number): Json {
  return { metadata: { platform: 'linux', aip: { version: 1, features: ['journal', 'resume'], max_frame: maxFrame } } }
}

describe('an end whose result is larger than the frames that a client takes', () => {
  it('frees the device all the same, without the result', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', ...offer(SMALL_FRAME) })
    const requester = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    requester.send(taskOf('s1'))
    device.answer(await device.next(), LARGE)
    expect(await device.next()).toMatchObject({ type: 'results_ack' })
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'completed', result: null })
    expect(await requester.next()).toMatchObject({ type: 'heartbeat' })
    expect(await requester.next()).toMatchObject({ type: 'task_end', result: [{ result: [LARGE] }] })
  })

  it('reaches its requester, and says why the result is not there', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const requester = await WireClient.register(server.url, OPERATOR_KEY, {
      client_id: 'c1',
      client_type: 'constellation',
      ...offer(SMALL_FRAME),
    })
    requester.send(taskOf('s1'))
    device.answer(await device.next(), LARGE)
    expect(await requester.next()).toMatchObject({ type: 'heartbeat' })
    expect(await requester.next()).toMatchObject({
      type: 'task_end',
      status: 'completed',
      result: null,
      error: expect.stringContaining(String(SMALL_FRAME)),
    })
  })
})
