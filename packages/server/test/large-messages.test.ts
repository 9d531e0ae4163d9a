import { LIMITS } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const MIB = 1024 * 1024

interface Answer {
  status: number
  body: { status: string; session_id: string; results: { status: string; result: unknown; error: string | null }[] }
}

/** Runs a command on the device, which answers with this. */
async function run(server: TestServer, device: WireClient, answer: (command: Json) => void): Promise<Answer> {
  const answered = server.api('/api/devices/d1/commands', { commands: [{ tool_name: 'big', parameters: {} }] })
  let message = await device.next()
  while (message['type'] !== 'command') message = await device.next()
  answer(message)
  return (await answered) as unknown as Answer
}

describe('large results', () => {
  it.each([
    ['a text', 'größe "\\ \u0007'.repeat(MIB / 4)],
    ['a list with many values', Array.from({ length: 200_000 }, (_, index) => index)],
    ['a list of objects', Array.from({ length: 40_000 }, (_, index) => ({ path: `/tmp/${index}`, size: index, kind: 'file' }))],
    ['an object with many keys', Object.fromEntries(Array.from({ length: 15_000 }, (_, index) => [`k${index}`, index]))],
  ])('arrive whole, and are kept: %s', async (_case, value) => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const { body } = await run(server, device, (command) => device.answer(command, value))
    expect(body.status).toBe('completed')
    expect(body.results[0]?.result).toEqual(value)
    const { events } = (await server.api(`/api/sessions/${body.session_id}/log`)).body as {
      events: { type: string; data: { results?: { result: { $value: string; bytes: number } }[] } }[]
    }
    const reference = events.find(({ type }) => type === 'results_received')?.data.results?.[0]?.result
    expect(reference?.bytes).toBe(Buffer.byteLength(JSON.stringify(value)))
    expect((await server.api(`/api/sessions/${body.session_id}/values/${reference?.$value}`)).body).toEqual(value)
    expect((await server.api(`/api/sessions/${body.session_id}`)).body).toMatchObject({ result: [{ result: value }] })
  })

  it('count although the device leaves as soon as it has sent them', async () => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const { body } = await run(server, device, (command) => {
      device.answer(command, 'x'.repeat(4 * MIB))
      device.close()
    })
    expect(body.results[0]?.result).toHaveLength(4 * MIB)
  })

  it('are handled before what the device sends after them', async () => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, {
      client_id: 'd1',
      metadata: { platform: 'linux', aip: { version: 1, features: ['journal'] } },
    })
    const { body } = await run(server, device, (command) => {
      device.answer(command, 'x'.repeat(4 * MIB))
      device.send({ type: 'heartbeat' })
    })
    expect(body.status).toBe('completed')
    const types = [await device.next(), await device.next(), await device.next()].map(({ type }) => type)
    expect(types.indexOf('results_ack')).toBeLessThan(types.indexOf('heartbeat'))
  })

  it.each([
    ['more values than a result may have', Array.from({ length: LIMITS.resultValues + 1 }, () => 0)],
    [
      'an object with more keys than a result may have',
      Object.fromEntries(Array.from({ length: LIMITS.resultKeys + 1 }, (_, index) => [`k${index}`, 0])),
    ],
  ])('become a failure where they have %s', async (_case, value) => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const { body } = await run(server, device, (command) => device.answer(command, value))
    expect(body.results).toMatchObject([{ status: 'failure', result: null, error: 'The result has too many values' }])
  })
})

// The codec gives these MESSAGE_TOO_LARGE and TOO_MANY_VALUES.
describe('a message that is too large or too wide', () => {
  const wide = Object.fromEntries(Array.from({ length: LIMITS.objectKeys + 1 }, (_, index) => [`k${index}`, 0]))
  const deep = '['.repeat(1000 * 1000)
  it.each<[string, string, string | RegExp]>([
    ['above 1 MiB', JSON.stringify({ type: 'heartbeat', metadata: { x: 'x'.repeat(MIB) } }), /^Message exceeds the limit/],
    ['above 1 MiB, with the type at its end', `{"metadata":{"x":"${'x'.repeat(MIB)}"},"type":"task"}`, /^Message exceeds/],
    ['with many keys', JSON.stringify({ type: 'device_info_response', metadata: wide }), /^Message has more than/],
    [
      'with many small values',
      `{"type":"task","metadata":{"x":[${'{},'.repeat(LIMITS.messageValues)}{}]}}`,
      /^Message has more than/,
    ],
    [
      'with very many values',
      `{"type":"command_results","metadata":{"x":[${'0,'.repeat(LIMITS.resultsValues)}0]}}`,
      /^Message has more/,
    ],
    ['nested deeply', `{"type":"command_results","metadata":{"x":${deep}`, /^Invalid message format: nested too deep/],
    [
      'of results, cut off',
      `{"type":"command_results","metadata":"${'x'.repeat(2 * MIB)}`,
      /^Invalid message format: not valid JSON/,
    ],
  ])('is refused, and its sender stays: %s', async (_case, frame, error) => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    for (const client of [device, constellation]) {
      for (const form of [frame, Buffer.from(frame)]) {
        client.sendRaw(form)
        const refusal = await client.next()
        expect(refusal['type']).toBe('error')
        if (client === device) expect(refusal['error']).toMatch(error)
      }
      client.send({ type: 'heartbeat' })
      expect(await client.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
    }
  })

  it('is refused where a device says too much of itself, at its registration or later', async () => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    device.send({ type: 'device_info_response', metadata: { notes: 'x'.repeat(40 * 1024) } })
    device.send({ type: 'device_info_response', metadata: { more: 'x'.repeat(40 * 1024) } })
    expect(await device.next()).toMatchObject({ type: 'error', error: expect.stringMatching(/^Message exceeds/) as unknown })
    const { body } = await server.api('/api/devices/d1')
    expect(body['system_info']).toMatchObject({ notes: 'x'.repeat(40 * 1024) })
    expect(body['system_info']).not.toHaveProperty('more')
  })

  it.each(['session_id', 'task_name', 'target_id', 'request_id', 'prev_response_id'])('has no endless %s', async (field) => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    device.send({ type: 'task', request: 'x', [field]: 'x'.repeat(LIMITS.id + 1) })
    expect(await device.next()).toMatchObject({ type: 'error', error: expect.stringContaining(`field '${field}'`) as unknown })
  })
})
