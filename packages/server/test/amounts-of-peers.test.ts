import { describe, expect, it } from 'vitest'
import type { Agent } from '@orrery/server'
import { SERVER_LIMITS } from '../src/limits.js'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const CONSTELLATION = { client_id: 'c1', client_type: 'constellation' }
/** As the agent that asks a model. */
const paid: Agent = { ...scriptedAgent, usesModel: true }

/** Sends a task and returns how it is answered at once. */
async function ask(client: WireClient, task: Json): Promise<Json> {
  client.send({ type: 'task', ...task })
  for (;;) {
    const message = await client.next()
    if (message['type'] === 'heartbeat' || message['type'] === 'error') return message
  }
}

describe('tasks in words of a device, which use the model that the operator pays for', () => {
  it('are refused unless a setting says how many a day each may ask for [MODEL_NOT_FOR_DEVICES]', async () => {
    await using server = await startTestServer({ agents: [paid] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    expect(await ask(device, { client_id: 'd1', request: 'nothing' })).toMatchObject({
      type: 'error',
      error: expect.stringContaining('devices_may_ask') as string,
    })
    // What is dispatched to it is a task of the operator.
    await server.api('/api/dispatch', { client_id: 'd1', request: 'nothing', task_name: 'job' })
    expect(await device.next()).toMatchObject({ type: 'task', task_name: 'job' })
    expect(await ask(device, { client_id: 'd1', request: 'nothing', task_name: 'job' })).toMatchObject({ type: 'heartbeat' })
    expect((await server.api('/api/sessions')).body['sessions']).toHaveLength(1)
  })

  it('are counted by device and day', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [paid], devicesMayAsk: 2, clock })
    const [d1, d2] = [
      await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' }),
      await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd2' }),
    ]
    const types = async (client: WireClient, id: string, times: number): Promise<unknown[]> => {
      const answers = []
      for (let time = 0; time < times; time += 1) answers.push((await ask(client, { client_id: id, request: 'nothing' }))['type'])
      return answers
    }
    expect(await types(d1, 'd1', 3)).toEqual(['heartbeat', 'heartbeat', 'error'])
    expect(await types(d2, 'd2', 1)).toEqual(['heartbeat'])
    await clock.advance(24 * 60 * 60 * 1000)
    expect(await types(d1, 'd1', 3)).toEqual(['heartbeat', 'heartbeat', 'error'])
  })

  it('are not limited where no model is used', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    expect(await ask(device, { client_id: 'd1', request: 'nothing' })).toMatchObject({ type: 'heartbeat' })
  })
})

describe('the ids and names of a task', () => {
  it('are bounded, and a long request is a session like any other [INVALID_TASK_ID]', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const long = 'x'.repeat(70_000)
    const name = 'x'.repeat(500)
    const task = { client_id: 'd1', request: 'nothing' }
    for (const bad of [
      { session_id: long },
      { session_id: 'a\nb' },
      { session_id: 's', request_id: long },
      { session_id: '\u202Ex' },
    ]) {
      expect(await ask(device, { ...task, ...bad })).toMatchObject({
        type: 'error',
        error: expect.stringMatching(/printable|Too big/) as string,
      })
    }
    expect(await ask(device, { ...task, session_id: 'named', task_name: name })).toMatchObject({ type: 'heartbeat' })
    expect(await ask(device, { ...task, session_id: 'long', request: `run ${long}` })).toMatchObject({ type: 'heartbeat' })
    const { status, body } = await server.api('/api/sessions')
    expect(status).toBe(200)
    const sessions = body['sessions'] as { session_id: string; task_name: string; request: string }[]
    expect(sessions.map(({ session_id }) => session_id)).toEqual(['long', 'named'])
    expect(sessions[1]?.task_name).toHaveLength(SERVER_LIMITS.taskName)
    expect(sessions[0]?.request.length).toBeLessThanOrEqual(SERVER_LIMITS.listedRequest + 1)
    expect(((await server.api('/api/sessions/long')).body['request'] as string).length).toBe(70_004)
  })

  it('of a constellation may be any printable text [INVALID_CONSTELLATION_ID]', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    for (const id of ['find the logs@py1', 'gerät-1', 'a/b', '../../etc/passwd', '機器', 'x'.repeat(256)]) {
      const client = await WireClient.register(server.url, OPERATOR_KEY, { ...CONSTELLATION, client_id: id })
      const task = { ...CONSTELLATION, client_id: id, target_id: 'd1', session_id: `${id}@star 1`, request: 'nothing' }
      expect(await ask(client, task)).toMatchObject({ type: 'heartbeat', session_id: `${id}@star 1` })
      const { status } = await server.api(`/api/sessions/${encodeURIComponent(`${id}@star 1`)}`)
      expect(status).toBe(200)
      client.terminate()
    }
    const refused = async (fields: Json): Promise<Json> => {
      const client = await WireClient.connect(server.url, OPERATOR_KEY)
      client.send({ type: 'register', ...fields })
      return client.next()
    }
    for (const id of ['a\nb', 'a\u001b[0m', 'a\u202eb', 'x'.repeat(257)]) {
      expect(await refused({ ...CONSTELLATION, client_id: id })).toMatchObject({ status: 'error' })
    }
    expect(await refused({ client_id: 'find the logs@py1' })).toMatchObject({ status: 'error' })
  })
})

describe('approvals and questions of a session', () => {
  it('are bounded: further ones are left out', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent], messageRate: 100_000 })
    const device = await WireClient.connect(server.url, DEVICE_KEY)
    const aip = { version: 1, features: ['journal', 'resume', 'ask', 'cancel'] }
    device.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
    await device.next()
    await server.api('/api/sessions', { device_id: 'd1', request: 'run one' })
    const command = await device.next()
    const [action] = command['actions'] as Json[]
    const question = { tool: 'one', arguments_hash: 'h', summary: 'one', expires_at: new Date(Date.now() + 60_000).toISOString() }
    for (let n = 0; n < SERVER_LIMITS.sessionAsks + 5; n += 1) {
      device.send({ type: 'ask', session_id: command['session_id'], ask_id: `a${n}`, call_id: action?.['call_id'], ...question })
    }
    device.answer(command)
    const events = await server.events(String(command['session_id']))
    expect(events.filter(({ type }) => type === 'approval')).toHaveLength(SERVER_LIMITS.sessionAsks)
    expect(server.log.lines.filter((line) => line.includes('approvals in one session'))).toHaveLength(1)
  })

  it('end an agent that asks too many [TOO_MANY_QUESTIONS]', async () => {
    const curious: Agent = {
      name: 'curious',
      accepts: ({ kind }) => kind === 'words',
      async run(context) {
        for (;;) await context.ask('again?', 1)
      },
    }
    await using server = await startTestServer({ agents: [curious] })
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const { body } = await server.api('/api/sessions', { device_id: 'd1', request: 'x' })
    expect((await server.events(String(body['session_id']))).at(-1)).toMatchObject({
      data: { status: 'failed', error: `A session may ask its user at most ${SERVER_LIMITS.sessionQuestions} questions` },
    })
  })
})
