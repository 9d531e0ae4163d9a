import type { Agent, AgentContext } from '@orrery/server'
import { describe, expect, it } from 'vitest'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const CONSTELLATION = { client_id: 'c1', client_type: 'constellation' }

function task(targetId: string, request: string, sessionId: string): Json {
  return {
    type: 'task',
    client_type: 'constellation',
    target_id: targetId,
    request,
    session_id: sessionId,
    task_name: `task-of-${sessionId}`,
  }
}

describe('a connection', () => {
  it('is accepted first, and then its registration is waited for [S-103]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.connect(server.url, DEVICE_KEY)
    expect(server.log.lines).toEqual(['info [WS] [AIP] Waiting for registration message...'])
    expect((await server.api('/api/clients')).body).toEqual({ online_clients: [] })
    client.send({ type: 'register', client_id: 'd1' })
    expect(await client.next()).toMatchObject({ status: 'ok' })
  })

  it('registers, beats, asks, works, errs and ends, each by its own protocol [S-101 S-102 S-183]', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, CONSTELLATION)
    const say = async (fields: Json): Promise<Json> => {
      constellation.send({ client_type: 'constellation', ...fields })
      return constellation.next()
    }
    expect(await say({ type: 'heartbeat' })).toMatchObject({ type: 'heartbeat', session_id: null })
    expect(await say({ type: 'device_info_request', target_id: 'd1', request_id: 'r' })).toMatchObject({
      type: 'device_info_response',
      response_id: 'r',
    })
    expect(await say(task('d1', 'run echo', 's1'))).toMatchObject({ type: 'heartbeat', session_id: 's1' })
    device.answer(await device.next())
    expect(await constellation.next()).toMatchObject({ type: 'task_end', status: 'completed' })
    expect(await say({ type: 'error', status: 'error', error: 'text' })).toMatchObject({ type: 'error', error: 'text' })
    constellation.sendRaw('{')
    expect(await constellation.next()).toMatchObject({ type: 'error' })
    expect(await say({ type: 'heartbeat' })).toMatchObject({ type: 'heartbeat' })
    constellation.close()
    expect((await constellation.nextClose()).code).toBe(1000)
  })

  it('gets the replies to its own messages and no others, whatever happens on the rest [S-182]', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const names = ['a', 'b', 'c', 'd']
    const devices = await Promise.all(names.map((id) => WireClient.register(server.url, DEVICE_KEY, { client_id: id })))
    const requesters = await Promise.all(
      names.map((id) => WireClient.register(server.url, OPERATOR_KEY, { ...CONSTELLATION, client_id: `of-${id}` })),
    )
    for (const [index, requester] of requesters.entries())
      requester.send(task(names[index] ?? '', 'run echo', `s-${names[index]}`))
    const commands = await Promise.all(devices.map((device) => device.next()))
    // Answered in the other order than asked.
    for (const [index, device] of [...devices.entries()].toReversed()) device.answer(commands[index] ?? {}, `by ${names[index]}`)
    for (const [index, requester] of requesters.entries()) {
      const name = names[index]
      expect(await requester.next()).toMatchObject({ type: 'heartbeat', session_id: `s-${name}` })
      expect(await requester.next()).toMatchObject({ session_id: `s-${name}`, result: [{ result: [`by ${name}`] }] })
      requester.send({ type: 'heartbeat', client_type: 'constellation' })
      expect(await requester.next()).toMatchObject({ type: 'heartbeat', session_id: null })
    }
  })
})

describe('a task', () => {
  it('runs in the background with its id, name, request and platform, and its end calls back [S-118]', async () => {
    const given = Promise.withResolvers<AgentContext>()
    const release = Promise.withResolvers<void>()
    const agent: Agent = {
      name: 'watched',
      accepts: () => true,
      async run(context) {
        given.resolve(context)
        await release.promise
        return { status: 'completed', result: 'done' }
      },
    }
    await using server = await startTestServer({ agents: [agent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata: { platform: 'mobile' } })
    device.send({ type: 'task', client_id: 'd1', request: 'look around', session_id: 's1', task_name: 'tour' })
    expect(await device.next()).toMatchObject({ type: 'heartbeat', session_id: 's1' })
    expect(await given.promise).toMatchObject({
      sessionId: 's1',
      taskName: 'tour',
      deviceId: 'd1',
      platform: 'mobile',
      work: { kind: 'words', request: 'look around' },
    })
    expect(device.pending()).toEqual([])
    release.resolve()
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'completed' })
  })
})

describe('device information', () => {
  it('is passed on with every field that the device told, in both of the documented shapes [S-235]', async () => {
    await using server = await startTestServer()
    const documented = {
      device_id: 'd1',
      platform: 'windows',
      os_version: '11',
      screen_resolution: '1920x1080',
      installed_applications: ['editor', 'browser'],
      capabilities: ['gui'],
      cpu_cores: 8,
      memory_gb: 16,
    }
    const known = {
      device_id: 'd2',
      platform: 'linux',
      os_version: '6',
      cpu_count: 2,
      memory_total_gb: 1.5,
      supported_features: [],
    }
    for (const info of [documented, known]) {
      await WireClient.register(server.url, DEVICE_KEY, { client_id: info.device_id, metadata: { system_info: info } })
    }
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, CONSTELLATION)
    for (const info of [documented, known]) {
      constellation.send({ type: 'device_info_request', client_type: 'constellation', target_id: info.device_id })
      expect(await constellation.next()).toMatchObject({ type: 'device_info_response', status: 'ok', result: info })
    }
  })
})
