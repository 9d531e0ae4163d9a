import { LIMITS } from '@orrery/aip'
import { describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

/** A server with the scripted agent, a device d1 and a constellation c1. */
async function startTrio(
  options: { clock?: ManualClock } = {},
): Promise<{ server: TestServer; device: WireClient; constellation: WireClient }> {
  const server = await startTestServer({ agents: [scriptedAgent], ...options })
  const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
  const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
  return { server, device, constellation }
}

function task(request: string, more: Json = {}): Json {
  return {
    type: 'task',
    status: 'continue',
    client_type: 'constellation',
    client_id: 'c1',
    target_id: 'd1',
    request,
    task_name: 't',
    ...more,
  }
}

describe('a task of a device for itself', () => {
  it('is acknowledged, run on its own connection, and ended there only [S-110 S-115 S-119 S-209 S-216 S-223 S-224 S-226]', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    device.send({ type: 'task', client_id: 'd1', request: 'run echo', task_name: 'mine' })
    const ack = await device.next()
    expect(ack).toMatchObject({ type: 'heartbeat', status: 'ok' })
    expect(ack['session_id']).toMatch(/^[0-9a-f-]{36}$/)
    const command = await device.next()
    expect(command).toMatchObject({
      type: 'command',
      status: 'continue',
      agent_name: 'LinuxAgent',
      process_name: '',
      root_name: '',
      session_id: ack['session_id'],
      task_name: 'mine',
      actions: [{ tool_name: 'echo', tool_type: 'action', parameters: {} }],
    })
    device.answer(command, 'said')
    expect(await device.next()).toMatchObject({
      type: 'task_end',
      status: 'completed',
      session_id: ack['session_id'],
      task_name: null,
      error: null,
      result: [{ request: 'run echo', result: ['said'] }],
    })
    expect(constellation.pending()).toEqual([])
  })

  it('may not target another device', async () => {
    const { server, device } = await startTrio()
    await using _ = server
    device.send({ type: 'task', client_id: 'd1', target_id: 'd2', request: 'run echo' })
    expect(await device.next()).toMatchObject({ error: 'Device clients may not target other devices' })
  })
})

describe('a task of a constellation', () => {
  it('runs on the target and ends at the requester first, then at the device [S-111 S-116 S-121 S-130 S-131 S-138 S-210 S-217 S-219 S-225 S-227]', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    constellation.send(task('run echo', { session_id: 'demo@task_1', task_name: 'galaxy/demo/t1' }))
    expect(await constellation.next()).toMatchObject({ type: 'heartbeat', session_id: 'demo@task_1' })
    const command = await device.next()
    expect(command).toMatchObject({ session_id: 'demo@task_1', task_name: 'galaxy_demo_t1' })
    device.answer(command, { rows: [1, 2] })
    const end = await constellation.next()
    expect(end).toMatchObject({
      type: 'task_end',
      status: 'completed',
      session_id: 'demo@task_1',
      result: [{ result: [{ rows: [1, 2] }] }],
    })
    const same = await device.next()
    expect({ ...same, timestamp: null }).toEqual({ ...end, timestamp: null })
    expect(server.log.lines).toContain('info [WS] 🌟 Constellation c1 requesting task on d1')
    expect(server.log.lines).toContain(
      `debug [WS] Received command result for response_id=${String(command['response_id'])}, session_id=demo@task_1`,
    )
    expect(server.log.lines).toContain(`debug [WS] Command result set for response_id=${String(command['response_id'])}`)
  })

  it.each([
    ['a/b', /^a_b$/],
    ['..hidden', /^hidden$/],
    ['...', /^[0-9a-f-]{36}$/],
    [null, /^[0-9a-f-]{36}$/],
  ])('has a name that is safe as a label: %s', async (given, name) => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    constellation.send(task('run echo', { task_name: given }))
    expect((await device.next())['task_name']).toMatch(name)
  })

  it.each([
    ['without a target [S-254]', { target_id: null }, 'Constellation task requests require target_id'],
    ['with an empty target', { target_id: '' }, 'Constellation task requests require target_id'],
    ['for a device that is not there [S-218]', { target_id: 'gone' }, "Target device 'gone' is not connected"],
    ['for another constellation', { target_id: 'c1' }, 'Constellation tasks may only target device clients'],
    ['without a request [S-253]', { request: '' }, 'Task request cannot be empty'],
  ])('is refused %s, and the connection stays [S-250]', async (_case, fields, error) => {
    const { server, constellation } = await startTrio()
    await using _ = server
    constellation.send(task('run echo', fields))
    expect(await constellation.next()).toMatchObject({ type: 'error', error })
    constellation.send({ type: 'heartbeat', client_type: 'constellation' })
    expect(await constellation.next()).toMatchObject({ type: 'heartbeat' })
  })

  it.each([
    ['fails', 'fail could not', 'could not'],
    ['throws', 'throw model is down', 'model is down'],
  ])('is reported as failed when its agent %s', async (_case, request, error) => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    constellation.send(task(request))
    await constellation.next()
    expect(await constellation.next()).toMatchObject({ type: 'task_end', status: 'failed', error, result: [] })
    expect(await device.next()).toMatchObject({ type: 'task_end', status: 'failed' })
  })

  it('leaves the stack of an agent that throws in the log, and nowhere else [S-273]', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    constellation.send(task('throw model is down'))
    await constellation.next()
    const ends = [await constellation.next(), await device.next()]
    expect(JSON.stringify(ends)).not.toMatch(/scripted-agent|\bat /)
    expect(server.log.lines).toContainEqual(expect.stringMatching(/^error Agent of session .* failed: model is down$/))
    expect(server.log.lines).toContainEqual(expect.stringMatching(/^error Error: model is down\n +at .*scripted-agent\.ts/))
  })

  it('of words fails with a hint when there is no model', async () => {
    await using server = await startTestServer()
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    constellation.send(task('open the mail'))
    await constellation.next()
    expect((await constellation.next())['error']).toMatch(/^No model is configured.*orrery workflows/)
  })

  it('does not stop heartbeats and other messages while it runs [S-120 S-206 S-233]', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    constellation.send(task('run slow'))
    await constellation.next()
    const command = await device.next()
    for (const client of [device, constellation]) {
      client.send({ type: 'heartbeat' })
      expect(await client.next()).toMatchObject({ type: 'heartbeat', session_id: null })
    }
    device.answer(command)
    expect(await constellation.next()).toMatchObject({ type: 'task_end', status: 'completed' })
  })
})

describe('a session id', () => {
  it('that is live is refused to others, without side effects', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    constellation.send(task('run echo', { session_id: 's1' }))
    await constellation.next()
    const command = await device.next()
    device.send({ type: 'task', client_id: 'd1', request: 'run echo', session_id: 's1' })
    expect(await device.next()).toMatchObject({ error: "session_id 's1' is owned by another client" })
    constellation.send(task('run other', { session_id: 's1' }))
    expect(await constellation.next()).toMatchObject({ error: "session_id 's1' is already running" })
    device.answer(command)
    expect(await constellation.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'completed' })
  })

  it('with the same request id again is acknowledged again and not run again', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    const request = task('run echo', { session_id: 's1', request_id: 'r1' })
    constellation.send(request)
    constellation.send(request)
    expect(await constellation.next()).toMatchObject({ type: 'heartbeat', session_id: 's1' })
    expect(await constellation.next()).toMatchObject({ type: 'heartbeat', session_id: 's1' })
    device.answer(await device.next())
    expect(await constellation.next()).toMatchObject({ type: 'task_end', status: 'completed' })
    expect(await device.next()).toMatchObject({ type: 'task_end' })
    device.send({ type: 'heartbeat' })
    expect(await device.next()).toMatchObject({ type: 'heartbeat' })
  })

  it('may be used again once its session has ended, and a look-up finds the newest', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    for (const word of ['first', 'second']) {
      constellation.send(task(`run ${word}`, { session_id: 's1' }))
      await constellation.next()
      device.answer(await device.next(), word)
      expect(await constellation.next()).toMatchObject({ type: 'task_end' })
      await device.next()
    }
    expect((await server.api('/api/sessions/s1')).body).toMatchObject({ request: 'run second', result: ['second'] })
    expect((await server.api('/api/sessions')).body['sessions']).toHaveLength(2)
  })
})

describe('the sessions of one device', () => {
  it('run one at a time, in order', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    for (const name of ['a', 'b']) {
      constellation.send(task(`run ${name}`, { session_id: name }))
      await constellation.next()
    }
    const first = await device.next()
    expect((await server.api('/api/sessions/b')).body).toMatchObject({ status: 'accepted' })
    expect((await server.api('/api/devices/d1')).body).toMatchObject({ status: 'busy', current_session_id: 'a' })
    device.answer(first)
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 'a' })
    const second = await device.next()
    expect(second).toMatchObject({ type: 'command', session_id: 'b' })
    device.answer(second)
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 'b' })
  })

  it('wait in a line of bounded length', async () => {
    const { server, constellation } = await startTrio()
    await using _ = server
    for (let index = 0; index <= LIMITS.waitingSessions; index += 1) {
      constellation.send(task('run slow', { session_id: `s${index}` }))
      expect(await constellation.next()).toMatchObject({ type: 'heartbeat' })
    }
    constellation.send(task('run slow'))
    expect(await constellation.next()).toMatchObject({ error: "Device 'd1' already has 100 waiting tasks, try again later" })
  })
})

describe('results', () => {
  it('that are missing, too many, unknown or late never hang or end a session wrongly [S-228]', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    constellation.send(task('run one two', { session_id: 's' }))
    await constellation.next()
    const command = await device.next()
    const [one] = command['actions'] as Json[]
    const results = { type: 'command_results', session_id: 's', prev_response_id: command['response_id'] }
    device.send({ ...results, session_id: 'nope', action_results: [] })
    device.send({ ...results, prev_response_id: 'nope', action_results: [] })
    device.send({
      ...results,
      action_results: [
        { status: 'success', result: 1, call_id: one?.['call_id'] },
        { status: 'success', result: 9, call_id: 'unknown' },
        { status: 'success', result: 9, call_id: 'unknown' },
      ],
    })
    device.send({ ...results, action_results: [{ status: 'success', result: 'late' }] })
    expect(await constellation.next()).toMatchObject({ type: 'task_end', result: [{ result: [1, null] }] })
    const events = await server.events('s')
    expect(events.map((event) => event['type'])).toEqual(['accepted', 'commands_sent', 'results_received', 'ended'])
    expect(events[2]).toMatchObject({
      data: { results: [{ status: 'success' }, { status: 'failure', error: 'The device sent no result for this command' }] },
    })
  })

  it('are taken from the device that was asked only', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    const other = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd2' })
    constellation.send(task('run echo', { session_id: 's' }))
    await constellation.next()
    const command = await device.next()
    other.answer(command, 'forged')
    other.send({ type: 'heartbeat' })
    await other.next()
    device.answer(command, 'true')
    expect(await constellation.next()).toMatchObject({ result: [{ result: ['true'] }] })
  })

  it('that do not come become failures when their time is over', async () => {
    const clock = new ManualClock()
    const { server, device, constellation } = await startTrio({ clock })
    await using _ = server
    constellation.send(task('run never', { session_id: 's' }))
    await constellation.next()
    await device.next()
    // The clock moves in steps that the connections' pings survive.
    for (let at = 0; at < LIMITS.batchTime; at += 60_000) {
      await clock.advance(60_000)
      for (const client of [device, constellation]) client.send({ type: 'heartbeat' })
    }
    const frames: Json[] = []
    while (frames.at(-1)?.['type'] !== 'task_end') frames.push(await constellation.next())
    expect((await server.events('s'))[2]).toMatchObject({
      data: { results: [{ error: 'No results from the device within 6000 s' }] },
    })
  })
})

describe('a client that drops', () => {
  it('as a device fails its sessions and tells the requesters [S-125 S-126 S-128 S-137 S-237 S-239 S-242 S-244 S-245 S-246]', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    constellation.send(task('run slow', { session_id: 'a' }))
    constellation.send(task('run slow', { session_id: 'b' }))
    await constellation.next()
    await constellation.next()
    await device.next()
    device.terminate()
    const ends = [await constellation.next(), await constellation.next()]
    for (const end of ends) {
      expect(end).toMatchObject({
        type: 'task_end',
        status: 'failed',
        result: [],
        error: 'Task was cancelled because target device disconnected',
      })
    }
    expect(new Set(ends.map((end) => end['session_id']))).toEqual(new Set(['a', 'b']))
    expect(server.log.lines).toContain('info [WS] 📱 Device d1 disconnected, cancelling 2 active session(s)')
    expect(server.log.lines).toContain('warn [WS] d1 disconnected code=1006, reason=')
    expect(server.log.lines).toContain('info [WS] d1 disconnected')
    expect((await server.api('/api/clients')).body).toEqual({ online_clients: ['c1'] })
    expect((await server.api('/api/devices/d1')).body).toMatchObject({ status: 'offline', current_session_id: null })
  })

  it('as a device fails the session that it started for itself [S-221]', async () => {
    const { server, device } = await startTrio()
    await using _ = server
    device.send({ type: 'task', client_id: 'd1', request: 'run slow', session_id: 'own' })
    await device.next()
    await device.next()
    device.close(1000, 'bye')
    await device.nextClose()
    expect((await server.events('own')).at(-1)).toMatchObject({ type: 'ended', data: { status: 'failed' } })
    expect(server.log.lines).toContain('warn [WS] d1 disconnected code=1000, reason=bye')
  })

  it('as a constellation cancels its sessions, notifies only their device, and frees it [S-127 S-129 S-137 S-240 S-243]', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    const otherDevice = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd2' })
    const otherConstellation = await WireClient.register(server.url, OPERATOR_KEY, {
      client_id: 'c2',
      client_type: 'constellation',
    })
    constellation.send(task('run slow', { session_id: 's' }))
    await constellation.next()
    const command = await device.next()
    constellation.terminate()
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 's', status: 'failed' })
    device.answer(command)
    expect((await server.api('/api/sessions/s')).body).toMatchObject({
      status: 'cancelled',
      error: 'Task was cancelled due to client disconnection',
    })
    expect(server.log.lines).toContain('info [WS] 🌟 Constellation c1 disconnected, cancelling 1 active session(s)')
    device.send({ type: 'task', client_id: 'd1', request: 'run next' })
    expect(await device.next()).toMatchObject({ type: 'heartbeat' })
    expect(await device.next()).toMatchObject({ type: 'command' })
    for (const client of [otherDevice, otherConstellation]) {
      client.send({ type: 'heartbeat' })
      expect(await client.next()).toMatchObject({ type: 'heartbeat' })
    }
  })

  it('as a constellation is not called back, even if it is here again when its session ends [S-243]', async () => {
    const clock = new ManualClock()
    const { server, device, constellation } = await startTrio({ clock })
    await using _ = server
    constellation.send(task('deaf', { session_id: 's' }))
    await constellation.next()
    constellation.terminate()
    await vi.waitFor(() => expect(server.log.lines.join('\n')).toContain('Constellation c1 disconnected'))
    const again = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    // The agent does not end by itself, so the session ends 2 s after its cancellation.
    await clock.advance(2000)
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 's' })
    again.send({ type: 'heartbeat' })
    expect(await again.next()).toMatchObject({ type: 'heartbeat' })
  })

  it('right after its registration leaves nothing behind', async () => {
    await using server = await startTestServer()
    for (let round = 0; round < 20; round += 1) {
      const client = await WireClient.connect(server.url, DEVICE_KEY)
      client.send({ type: 'register', client_id: `flash${round}` })
      if (round % 2 === 0) client.terminate()
      else client.close()
    }
    await vi.waitFor(async () => expect((await server.api('/api/clients')).body).toEqual({ online_clients: [] }))
    const again = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'flash0' })
    again.send({ type: 'heartbeat' })
    expect(await again.next()).toMatchObject({ type: 'heartbeat' })
  })
})

describe('cancelling', () => {
  it('ends a running session, tells its requester, and passes the queue', async () => {
    const { server, device, constellation } = await startTrio()
    await using _ = server
    for (const id of ['a', 'b']) {
      constellation.send(task('run slow', { session_id: id }))
      await constellation.next()
    }
    await device.next()
    expect(await server.api('/api/sessions/b/cancel', {})).toMatchObject({ status: 202 })
    expect(await constellation.next()).toMatchObject({
      type: 'task_end',
      session_id: 'b',
      error: 'Task was cancelled by the user',
    })
    expect(await server.api('/api/sessions/a/cancel', {})).toMatchObject({ status: 202 })
    expect(await constellation.next()).toMatchObject({ type: 'task_end', session_id: 'a', status: 'failed' })
    expect((await server.api('/api/sessions/a')).body).toMatchObject({ status: 'cancelled' })
    expect((await server.api('/api/sessions/a/cancel', {})).body).toMatchObject({ status: 'cancelled' })
  })

  it('does not wait more than 2 s for an agent that does not end', async () => {
    const clock = new ManualClock()
    const { server, constellation } = await startTrio({ clock })
    await using _ = server
    constellation.send(task('deaf', { session_id: 's' }))
    await constellation.next()
    await server.api('/api/sessions/s/cancel', {})
    await clock.advance(1999)
    expect(constellation.pending()).toEqual([])
    await clock.advance(1)
    expect(await constellation.next()).toMatchObject({ type: 'task_end', session_id: 's', status: 'failed' })
  })
})
