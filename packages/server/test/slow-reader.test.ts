import { describe, expect, it } from 'vitest'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

/** More than the socket buffers of both ends take. */
const LARGE = 'x'.repeat(20 * 1024 * 1024)

function taskOf(sessionId: string, deviceId = 'd1'): Json {
  return {
    type: 'task',
    client_type: 'constellation',
    target_id: deviceId,
    request: 'run one',
    session_id: sessionId,
    request_id: sessionId,
  }
}

describe('a constellation that stops reading', () => {
  it('delays neither the device whose large result it is sent nor the next sessions there', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const slow = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    for (const id of ['s1', 's2', 's3']) slow.send(taskOf(id))
    slow.pause()
    for (const [id, result] of [
      ['s1', LARGE],
      ['s2', LARGE],
      ['s3', 'small'],
    ]) {
      const command = await device.next()
      expect(command).toMatchObject({ type: 'command', session_id: id })
      device.answer(command, result)
      expect(await device.next()).toMatchObject({ type: 'task_end', session_id: id, status: 'completed' })
    }
    expect((await server.api('/api/devices/d1')).body).toMatchObject({ status: 'online', current_session_id: null })
    slow.resume()
    const ends: Json[] = []
    while (ends.length < 3) {
      const message = await slow.next()
      if (message['type'] === 'task_end') ends.push(message)
    }
    // Each once, in order, with its whole result.
    expect(ends.map((end) => end['session_id'])).toEqual(['s1', 's2', 's3'])
    expect(ends.map((end) => JSON.stringify(end['result']).length > LARGE.length)).toEqual([true, true, false])
  })
})

describe('a client without the feature resume that stops reading', () => {
  it('is dropped once more than 8 MiB wait for it', async () => {
    await using server = await startTestServer()
    const info = { notes: 'x'.repeat(50_000) }
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata: { platform: 'linux', system_info: info } })
    const slow = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    slow.pause()
    for (let count = 0; count < 800; count += 1)
      slow.send({ type: 'device_info_request', client_type: 'constellation', target_id: 'd1' })
    await expect
      .poll(async () => (await server.api('/api/clients')).body, { timeout: 30_000 })
      .toEqual({ online_clients: ['d1'] })
    slow.terminate()
  })
})
