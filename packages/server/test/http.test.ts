import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

async function withDevice(
  options: Parameters<typeof startTestServer>[0] = {},
): Promise<{ server: TestServer; device: WireClient }> {
  const server = await startTestServer({ agents: [scriptedAgent], ...options })
  return { server, device: await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' }) }
}

const ECHO = { commands: [{ tool_name: 'echo', parameters: { text: 'hi' } }] }

describe('the key of the HTTP API', () => {
  it.each(['/api/health', '/api/clients', '/api/devices', '/api/sessions', '/api/openapi.json', '/api/task_result/x'])(
    'is asked for at %s, the operator key alone is right',
    async (path) => {
      await using server = await startTestServer()
      const wrong = [
        {},
        { 'x-api-key': '' },
        { 'x-api-key': 'wrong' },
        { 'x-api-key': DEVICE_KEY },
        { authorization: `Bearer ${DEVICE_KEY}` },
      ]
      for (const headers of wrong) {
        expect(await server.api(path, undefined, headers)).toEqual({
          status: 401,
          body: { detail: 'Invalid API key', code: 'UNAUTHORIZED' },
        })
      }
      expect((await server.api(path)).status).toBe(200)
    },
  )

  it('is not asked for at the probes', async () => {
    await using server = await startTestServer()
    expect(await server.api('/healthz', undefined, {})).toEqual({ status: 200, body: { status: 'ok' } })
    expect(await server.api('/readyz', undefined, {})).toEqual({ status: 200, body: { status: 'ok' } })
  })

  it('is in no line of the log', async () => {
    const { server, device } = await withDevice()
    await using _ = server
    device.send({ type: 'heartbeat' })
    await device.next()
    expect(server.log.lines.join('\n')).not.toMatch(new RegExp(`${DEVICE_KEY}|${OPERATOR_KEY}`))
  })
})

describe('paths', () => {
  it('that do not exist are 404, wrong methods 405', async () => {
    await using server = await startTestServer()
    expect(await server.api('/api/nope')).toEqual({ status: 404, body: { detail: 'Not Found', code: 'NOT_FOUND' } })
    expect(await server.api('/api/dispatch')).toEqual({
      status: 405,
      body: { detail: 'Method Not Allowed', code: 'METHOD_NOT_ALLOWED' },
    })
  })

  it('are described by an OpenAPI document', async () => {
    await using server = await startTestServer()
    const { body } = await server.api('/api/openapi.json')
    expect(Object.keys(body['paths'] as Json)).toEqual(
      expect.arrayContaining(['/api/health', '/api/dispatch', '/api/devices/{id}/commands', '/api/sessions/{id}/events']),
    )
  })
})

describe('POST /api/devices/:id/commands', () => {
  it('runs the commands and gives their results', async () => {
    const { server, device } = await withDevice()
    await using _ = server
    const answer = server.api('/api/devices/d1/commands', ECHO)
    const command = await device.next()
    // Existing devices refuse a command without a tool type.
    expect(command).toMatchObject({
      type: 'command',
      actions: [{ tool_name: 'echo', parameters: { text: 'hi' }, tool_type: 'action' }],
    })
    device.answer(command, 0)
    expect(await answer).toMatchObject({
      status: 200,
      body: { status: 'completed', error: null, results: [{ status: 'success', result: 0 }] },
    })
    expect(await device.next()).toMatchObject({ type: 'task_end', status: 'completed' })
  })

  it('fails when a result is a failure, and gives all results', async () => {
    const { server, device } = await withDevice()
    await using _ = server
    const answer = server.api('/api/devices/d1/commands', ECHO)
    const command = await device.next()
    const [action] = command['actions'] as Json[]
    device.send({
      type: 'command_results',
      session_id: command['session_id'],
      prev_response_id: command['response_id'],
      action_results: [{ status: 'failure', error: 'no such tool', call_id: action?.['call_id'] }],
    })
    expect(await answer).toMatchObject({
      status: 200,
      body: { status: 'failed', error: 'no such tool', results: [{ status: 'failure' }] },
    })
  })

  it('fails when a batch is larger than the device wants to be sent, and the device stays', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const aip = { version: 1, features: ['cancel'], max_frame: 100_000 }
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata: { platform: 'linux', aip } })
    const large = { tool_name: 'echo', parameters: { text: 'x'.repeat(100_000) } }
    const error =
      'Error occurred while executing command echo: Message exceeds the limit of 100000 bytes, please retry or execute a different command.'
    expect(await server.api('/api/devices/d1/commands', { commands: [large] })).toMatchObject({
      body: { status: 'failed', error, results: [{ status: 'failure', error }] },
    })
    expect(await device.next()).toMatchObject({ type: 'task_end', status: 'failed' })
    const answer = server.api('/api/devices/d1/commands', ECHO)
    device.answer(await device.next(), 'hi')
    expect(await answer).toMatchObject({ body: { status: 'completed' } })
  })

  it('fails when the device drops in the middle', async () => {
    const { server, device } = await withDevice()
    await using _ = server
    const answer = server.api('/api/devices/d1/commands', ECHO)
    await device.next()
    device.terminate()
    expect(await answer).toMatchObject({
      status: 200,
      body: { status: 'failed', error: 'Task was cancelled because target device disconnected', results: [] },
    })
    expect(await server.api('/api/devices/d1/commands', ECHO)).toEqual({
      status: 404,
      body: { detail: "Device 'd1' is not connected", code: 'DEVICE_OFFLINE' },
    })
  })

  it.each([
    ['an unknown device', 'gone', ECHO, 404, 'DEVICE_NOT_FOUND'],
    ['no commands', 'd1', { commands: [] }, 422, 'INVALID_INPUT'],
    ['a command without a tool', 'd1', { commands: [{}] }, 422, 'INVALID_INPUT'],
    ['no object', 'd1', [], 422, 'INVALID_INPUT'],
  ])('refuses %s', async (_case, id, body, status, code) => {
    const { server } = await withDevice()
    await using _ = server
    expect(await server.api(`/api/devices/${id}/commands`, body)).toMatchObject({ status, body: { code } })
    expect((await server.api('/api/sessions')).body).toMatchObject({ sessions: [] })
  })
})

describe('GET /api/devices/:id/tools', () => {
  const TOOL = { tool_key: 'action::echo', tool_name: 'echo', namespace: 'Test', tool_type: 'action' }

  it('asks the device, and answers from memory while it is busy', async () => {
    const { server, device } = await withDevice()
    await using _ = server
    device.showsListing = true
    const answer = server.api('/api/devices/d1/tools')
    const command = await device.next()
    expect(command).toMatchObject({
      actions: [{ tool_name: 'list_tools', tool_type: 'action', parameters: {} }],
    })
    device.answer(command, [TOOL])
    expect((await answer).body).toMatchObject({ tools: [TOOL] })
    await server.api('/api/sessions', { device_id: 'd1', request: `run ${TOOL['tool_name']}` })
    await device.next()
    expect((await server.api('/api/devices/d1/tools')).body).toMatchObject({ tools: [TOOL] })
    expect((await server.api('/api/sessions')).body['sessions']).toHaveLength(1)
  })
})

describe('sessions over HTTP', () => {
  it('are started, followed and looked up', async () => {
    const { server, device } = await withDevice()
    await using _ = server
    const created = await server.api('/api/sessions', { device_id: 'd1', request: 'run echo', task_name: 'my-task' })
    expect(created).toMatchObject({
      status: 201,
      body: { device_id: 'd1', task_name: 'my-task', request: 'run echo', ended_at: null },
    })
    const id = String(created.body['session_id'])
    const following = server.events(id)
    device.answer(await device.next(), 'hello')
    const events = await following
    expect(events.map((event) => event['type'])).toEqual(['accepted', 'commands_sent', 'results_received', 'ended'])
    expect(events.map((event) => event['session_id'])).toEqual([id, id, id, id])
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({
      status: 'completed',
      agent: 'scripted',
      result: ['hello'],
      steps: 1,
      error: null,
    })
    expect(await server.events(id, { 'last-event-id': String(events[1]?.['seq']) })).toEqual(events.slice(2))
    expect(await server.events(id, { 'last-event-id': String(events[3]?.['seq']) })).toEqual([])
    expect((await server.api('/api/task_result/my-task')).body).toEqual({
      status: 'done',
      result: [{ request: 'run echo', result: ['hello'] }],
    })
  })

  it('are listed newest first, by device, status and page', async () => {
    const { server, device } = await withDevice()
    await using _ = server
    for (const request of ['fail no', 'ok', 'run slow']) {
      await server.api('/api/sessions', { device_id: 'd1', request })
    }
    while ((await device.next())['type'] !== 'command') continue
    const list = async (query: string): Promise<unknown[]> =>
      ((await server.api(`/api/sessions${query}`)).body['sessions'] as Json[]).map((session) => session['request'])
    expect(await list('')).toEqual(['run slow', 'ok', 'fail no'])
    expect(await list('?status=failed')).toEqual(['fail no'])
    expect(await list('?status=running')).toEqual(['run slow'])
    expect(await list('?status=accepted')).toEqual([])
    expect(await list('?device_id=other')).toEqual([])
    expect(await list('?limit=1')).toEqual(['run slow'])
    const [newest] = (await server.api('/api/sessions?limit=1')).body['sessions'] as Json[]
    expect(await list(`?before=${String(newest?.['run_id'])}`)).toEqual(['ok', 'fail no'])
    expect((await server.api('/api/sessions?limit=0')).status).toBe(422)
  })

  it.each([
    ['no work', {}, 422],
    ['two kinds of work', { request: 'x', commands: ECHO.commands }, 422],
    ['an empty request', { request: ' ' }, 400],
    ['a bad task name', { request: 'x', task_name: '../x' }, 400],
  ])('are refused with %s', async (_case, body, status) => {
    const { server } = await withDevice()
    await using _ = server
    expect((await server.api('/api/sessions', { device_id: 'd1', ...body })).status).toBe(status)
  })

  it('that are not known are 404', async () => {
    await using server = await startTestServer()
    for (const path of ['/api/sessions/x', '/api/sessions/x/events']) expect((await server.api(path)).status).toBe(404)
    expect((await server.api('/api/sessions/x/cancel', {})).body).toMatchObject({ code: 'SESSION_NOT_FOUND' })
  })

  it('pass progress on, without recording it', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.connect(server.url, DEVICE_KEY)
    device.send({
      type: 'register',
      client_id: 'd1',
      metadata: { aip: { version: 1, features: ['progress', 'cancel', 'teleport'] } },
    })
    expect(await device.next()).toMatchObject({ result: { aip: { version: 1, features: ['progress', 'cancel'] } } })
    const { body } = await server.api('/api/sessions', { device_id: 'd1', request: 'run long' })
    const id = String(body['session_id'])
    const command = await device.next()
    const [action] = command['actions'] as Json[]
    const following = server.events(id)
    // The stream is open once the server has answered a later request.
    await server.api(`/api/sessions/${id}`)
    device.send({ type: 'progress', session_id: id, call_id: action?.['call_id'], progress: 3, total: 10, message: 'copying' })
    device.answer(command)
    const events = await following
    expect(events.find((event) => event['type'] === 'progress')).toMatchObject({
      seq: null,
      data: { tool: 'long', progress: 3, total: 10, message: 'copying' },
    })
    expect((await server.events(id)).map((event) => event['type'])).not.toContain('progress')
  })

  it('keep a large result once, and give it whole', async () => {
    const { server, device } = await withDevice()
    await using _ = server
    const answer = server.api('/api/devices/d1/commands', ECHO)
    const big = 'x'.repeat(LIMITS.inlineValue + 1)
    device.answer(await device.next(), big)
    const { body } = await answer
    expect(body).toMatchObject({ results: [{ result: big }] })
    const id = String(body['session_id'])
    const events = await server.events(id)
    const reference = { $value: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown, bytes: big.length + 2 }
    expect(events[2]).toMatchObject({ type: 'results_received', data: { results: [{ result: reference }] } })
    expect(events[3]).toMatchObject({ type: 'ended', data: { result: [{ result: reference }] } })
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ result: [{ result: big }] })
  })
})

describe('the log of a session', () => {
  it('is there while the session runs, in pages, by session id and by run id', async () => {
    const { server, device } = await withDevice()
    await using _ = server
    const { body } = await server.api('/api/sessions', { device_id: 'd1', request: 'run echo' })
    const [id, runId] = [String(body['session_id']), String(body['run_id'])]
    const command = await device.next()
    const log = async (path: string): Promise<Json> => (await server.api(`/api/sessions/${path}`)).body
    const running = await log(`${id}/log`)
    expect(running).toMatchObject({ events: [{ type: 'accepted' }, { type: 'commands_sent' }] })
    expect(running).not.toHaveProperty('next')
    device.answer(command, 'hello')
    const streamed = await server.events(id)
    expect((await log(`${runId}/log`))['events']).toEqual(streamed)
    const first = await log(`${id}/log?limit=3`)
    expect(first).toEqual({ events: streamed.slice(0, 3), next: streamed[2]?.['seq'] })
    expect(await log(`${id}/log?limit=3&after=${String(first['next'])}`)).toEqual({ events: streamed.slice(3) })
    expect(await log(`${id}/log?after=${String(streamed[3]?.['seq'])}`)).toEqual({ events: [] })
    expect(await log('gone/log')).toMatchObject({ code: 'SESSION_NOT_FOUND' })
    expect(await log(`${id}/log?limit=0`)).toMatchObject({ code: 'INVALID_INPUT' })
  })

  it.each([
    ['a text', 'x"\u00e9'.repeat(LIMITS.inlineValue)],
    ['an object', { rows: Array.from({ length: LIMITS.inlineValue }, (_, row) => row) }],
  ])('refers to %s that is large, which is given by its id, and only of that session', async (_case, big) => {
    const { server, device } = await withDevice()
    await using _ = server
    const run = async (value: unknown): Promise<string> => {
      const answer = server.api('/api/devices/d1/commands', ECHO)
      let message = await device.next()
      while (message['type'] !== 'command') message = await device.next()
      device.answer(message, value)
      return String((await answer).body['session_id'])
    }
    const id = await run(big)
    const { body } = await server.api(`/api/sessions/${id}/log`)
    const [, , received] = body['events'] as { data: { results: { result: { $value: string } }[] } }[]
    const valueId = received?.data.results[0]?.result.$value ?? ''
    expect(await server.api(`/api/sessions/${id}/values/${valueId}`)).toEqual({ status: 200, body: big })
    const other = await run('small')
    for (const path of [`${other}/values/${valueId}`, `${id}/values/nothing`]) {
      expect(await server.api(`/api/sessions/${path}`)).toMatchObject({ status: 404, body: { code: 'VALUE_NOT_FOUND' } })
    }
    expect((await server.api(`/api/sessions/gone/values/${valueId}`)).body).toMatchObject({ code: 'SESSION_NOT_FOUND' })
  })
})

describe('POST /api/dispatch', () => {
  it('sends the device a task, and the session that it answers with is the one that was promised', async () => {
    const { server, device } = await withDevice()
    await using _ = server
    const { status, body } = await server.api('/api/dispatch', { client_id: 'd1', request: 'run echo', task_name: 'job' })
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'dispatched', task_name: 'job', client_id: 'd1' } })
    const id = body['session_id']
    expect(await device.next()).toMatchObject({
      type: 'task',
      status: 'continue',
      user_request: 'run echo',
      task_name: 'job',
      session_id: id,
      agent_name: null,
    })
    expect((await server.api('/api/task_result/job')).body).toEqual({ status: 'pending' })
    device.send({ type: 'task', client_id: 'd1', request: 'run echo', task_name: 'job', session_id: null })
    expect(await device.next()).toMatchObject({ type: 'heartbeat', session_id: id })
    const command = await device.next()
    expect(command).toMatchObject({ type: 'command', session_id: id })
    device.answer(command, 'done')
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: id, status: 'completed' })
    expect((await server.api('/api/task_result/job')).body).toEqual({
      status: 'done',
      result: [{ request: 'run echo', result: ['done'] }],
    })
  })

  it('fails when the device does not take the task up within 30 s', async () => {
    const clock = new ManualClock()
    const { server, device } = await withDevice({ clock })
    await using _ = server
    await server.api('/api/dispatch', { client_id: 'd1', request: 'run echo', task_name: 'job' })
    await device.next()
    await clock.advance(LIMITS.dispatchTime)
    expect(await device.next()).toMatchObject({ type: 'task_end', status: 'failed' })
    expect((await server.api('/api/task_result/job')).body).toEqual({
      status: 'done',
      result: { failure: 'The device did not take up the task within 30 s' },
    })
  })

  it.each([
    ['no request', { client_id: 'd1' }, 400, 'Empty task content'],
    ['an empty object', {}, 400, 'Empty task content'],
    ['no client', { request: 'x' }, 400, 'Empty client ID'],
    [
      'a bad task name',
      { request: 'x', client_id: 'gone', task_name: 'a b' },
      400,
      /^Invalid task_name: must be a non-empty string/,
    ],
    ['a null task name', { request: 'x', client_id: 'd1', task_name: null }, 400, /^Invalid task_name/],
    ['a device that is not online', { request: 'x', client_id: 'gone' }, 404, 'Client not online'],
  ])('refuses %s as existing servers do', async (_case, body, status, detail) => {
    const { server } = await withDevice()
    await using _ = server
    expect(await server.api('/api/dispatch', body)).toMatchObject({
      status,
      body: { detail: expect.stringMatching(detail) as unknown },
    })
  })
})

describe('the event log', () => {
  it('keeps ended sessions over a restart, with their results', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-'))
    const id = await (async () => {
      const { server, device } = await withDevice({ dataDir })
      await using _ = server
      const answer = server.api('/api/devices/d1/commands', ECHO)
      device.answer(await device.next(), 'kept')
      return String((await answer).body['session_id'])
    })()
    {
      await using server = await startTestServer({ dataDir })
      expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed', result: [{ result: 'kept' }] })
      expect(await server.events(id)).toHaveLength(4)
    }
    rmSync(dataDir, { recursive: true })
  })

  it('is readable for its owner only', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-'))
    {
      await using _ = await startTestServer({ dataDir })
      expect(statSync(join(dataDir, 'events.db')).mode & 0o777).toBe(0o600)
    }
    rmSync(dataDir, { recursive: true })
  })
})
