import { describe, expect, it } from 'vitest'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

/** Runs a task that a client asks for, until its end. */
async function run(client: WireClient, task: Json): Promise<Json> {
  client.send({ type: 'task', ...task })
  for (;;) {
    const message = await client.next()
    if (message['type'] === 'error' || message['type'] === 'task_end') return message
  }
}

const resultOf = async (server: TestServer, name: string): Promise<Json> => (await server.api(`/api/task_result/${name}`)).body

describe('the result of a task name', () => {
  it('is that of an operator or a constellation, and is not replaced by a task that a device asks for', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    await run(device, { task_name: 'nightly', session_id: 'forged-1', request: 'fail forged' })
    // There is no other task of this name yet.
    expect(await resultOf(server, 'nightly')).toMatchObject({ status: 'done' })
    const { body } = await server.api('/api/sessions', { device_id: 'd1', request: 'nothing', task_name: 'nightly' })
    await server.events(String(body['session_id']))
    const real = { status: 'done', result: [{ request: 'nothing', result: 'nothing to do' }] }
    expect(await resultOf(server, 'nightly')).toEqual(real)
    for (let n = 0; n < 5; n += 1)
      await run(device, { task_name: 'nightly', session_id: `forged-${n + 2}`, request: 'fail forged' })
    expect(await resultOf(server, 'nightly')).toEqual(real)
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    const task = { client_type: 'constellation', target_id: 'd1', task_name: 'nightly', session_id: 's1', request: 'fail newer' }
    await run(constellation, task)
    expect(await resultOf(server, 'nightly')).toEqual({ status: 'done', result: { failure: 'newer' } })
  })
})

describe('the id of a session', () => {
  it('is its run id, if an operator began it, and is not taken by a peer while it runs or afterwards', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    const { body } = await server.api('/api/sessions', { device_id: 'd1', request: 'nothing' })
    const id = String(body['session_id'])
    expect(body['run_id']).toBe(id)
    await server.events(id)
    while (device.pending().length > 0) await device.next()
    expect(await run(device, { session_id: id, request: 'fail forged' })).toMatchObject({
      error: expect.stringContaining('owned by another') as string,
    })
    const task = { client_type: 'constellation', target_id: 'd1', session_id: id, request: 'fail forged' }
    expect(await run(constellation, task)).toMatchObject({ error: expect.stringContaining('owned by another') as string })
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed', result: 'nothing to do' })
  })

  it('of a constellation is not taken by a device after it has ended, and may be used again by a constellation', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    const task = { client_type: 'constellation', target_id: 'd1', session_id: 'star', request: 'nothing' }
    expect(await run(constellation, task)).toMatchObject({ type: 'task_end', status: 'completed' })
    await device.next()
    expect(await run(device, { session_id: 'star', request: 'fail forged' })).toMatchObject({ type: 'error' })
    expect(await run(constellation, task)).toMatchObject({ type: 'task_end', status: 'completed' })
  })
})
