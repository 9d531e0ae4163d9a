import { ConstellationClient, type ConstellationOptions, type DeviceState } from '@orrery/constellation'
import { describe, expect, it, vi } from 'vitest'
import { startCuttingProxy } from '../../../test/support/cutting-proxy.js'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient } from '../../../test/support/wire-client.js'
import { ExistingServer } from './existing-server.js'

interface Orchestrator extends AsyncDisposable {
  client: ConstellationClient
  states: string[]
}

function orchestrator(options: Partial<ConstellationOptions>): Orchestrator {
  const states: string[] = []
  const client = new ConstellationClient({
    name: 'demo',
    onDeviceState: ({ deviceId, status }: DeviceState) => states.push(`${deviceId} ${status}`),
    ...options,
  })
  return { client, states, [Symbol.asyncDispose]: () => client.close() }
}

const device = (url: string, id = 'd1'): Promise<WireClient> => WireClient.register(url, DEVICE_KEY, { client_id: id })
const target = (server: string, deviceId = 'd1') => ({ deviceId, server, apiKey: OPERATOR_KEY })

async function gone(server: TestServer, id: string): Promise<void> {
  await vi.waitFor(async () => expect((await server.api('/api/clients')).body['online_clients']).not.toContain(id))
}

describe('a task that takes too long on an existing server', () => {
  it('fails with TIMEOUT, and the next one waits for the next connection', async () => {
    const clock = new ManualClock()
    await using server = await ExistingServer.listen()
    await using one = orchestrator({ devices: [{ deviceId: 'd1', server: server.url }], clock, reconnectDelayMs: 100 })
    const connected = one.client.connectAll()
    const first = await server.registered()
    await connected
    const slow = one.client.runTask('d1', 'hang', { timeoutMs: 5000 })
    const { session_id } = await first.next()
    first.say({ type: 'heartbeat', session_id })
    await slow.accepted
    const ended = slow.result.catch((error: unknown) => error)
    await clock.advance(5000)
    const next = one.client.runTask('d1', 'quick')
    expect(await ended).toMatchObject({ code: 'TIMEOUT', reason: 'the task did not end within 5 s' })
    await first.closed
    await vi.waitFor(() => expect(one.states.at(-1)).toBe('d1 connecting'))
    await clock.advance(100)
    const second = await server.registered()
    const task = await second.next()
    expect(task).toMatchObject({ type: 'task', request: 'quick' })
    second.say({ type: 'heartbeat', session_id: task['session_id'] })
    second.say({
      type: 'task_end',
      status: 'completed',
      session_id: task['session_id'],
      result: [{ request: 'quick', result: 7 }],
    })
    expect(await next.result).toMatchObject({ result: 7 })
  })

  it('a task that may have left is not sent twice', async () => {
    await using server = await ExistingServer.listen()
    await using one = orchestrator({ devices: [{ deviceId: 'd1', server: server.url }], reconnectDelayMs: 10 })
    const connected = one.client.connectAll()
    const first = await server.registered()
    await connected
    const run = one.client.runTask('d1', 'once')
    await first.next()
    first.drop()
    await expect(run.result).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    expect((await server.registered()).pending).toEqual([])
  })
})

describe('a constellation client of an Orrery server', () => {
  it('registers for its device, asks what it is, and gives it a task', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server.url)
    await using one = orchestrator({ devices: [target(server.url)] })
    expect(await one.client.connectAll()).toEqual([])
    expect(one.states).toEqual(['d1 connecting', 'd1 connected'])
    expect((await server.api('/api/clients')).body['online_clients']).toEqual(['d1', 'demo@d1'])
    expect(await one.client.requestDeviceInfo('d1')).toEqual({ device_id: 'd1', platform: 'linux' })
    const run = one.client.runTask('d1', 'run one', { taskId: 't1', taskName: 'galaxy/demo/t1' })
    d1.answer(await d1.next(), 'done')
    expect(await run.result).toEqual({ deviceId: 'd1', taskId: 't1', sessionId: 'demo@t1', result: ['done'] })
    expect(run.status).toBe('completed')
    expect((await server.api('/api/sessions/demo@t1')).body).toMatchObject({ task_name: 'galaxy_demo_t1', status: 'completed' })
  })

  it('drives several devices over one connection that has no target', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const devices = [await device(server.url, 'd1'), await device(server.url, 'd2')]
    await using one = orchestrator({ connection: 'server', devices: [target(server.url, 'd1'), target(server.url, 'd2')] })
    await one.client.connectAll()
    expect((await server.api('/api/clients')).body['online_clients']).toEqual(['d1', 'd2', 'demo'])
    const runs = ['d1', 'd2'].map((id) => one.client.runTask(id, 'run one'))
    for (const d of devices.toReversed()) d.answer(await d.next(), 'done')
    expect((await Promise.all(runs.map((run) => run.result))).map((result) => result.deviceId)).toEqual(['d1', 'd2'])
  })

  it('drives devices of several servers', async () => {
    await using first = await startTestServer({ agents: [scriptedAgent] })
    await using second = await startTestServer({ agents: [scriptedAgent] })
    await device(first.url, 'd1')
    await device(second.url, 'd2')
    await using one = orchestrator({ devices: [target(first.url, 'd1'), target(second.url, 'd2')] })
    expect(await one.client.connectAll()).toEqual([])
    const results = await Promise.all(['d1', 'd2'].map((id) => one.client.runTask(id, 'nothing').result))
    expect(results.map(({ result }) => result)).toEqual(['nothing to do', 'nothing to do'])
  })

  it('streams the events of a task while it runs', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server.url)
    await using one = orchestrator({ devices: [target(server.url)] })
    await one.client.connect('d1')
    const run = one.client.runTask('d1', 'run one')
    const types: string[] = []
    for await (const event of run.events()) {
      types.push(event.type)
      if (event.type === 'commands_sent') d1.answer(await d1.next())
    }
    expect(types).toEqual(['accepted', 'commands_sent', 'results_received', 'ended'])
  })

  it('says which device failed and why', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server.url)
    await using one = orchestrator({ devices: [target(server.url)] })
    await one.client.connect('d1')
    await expect(one.client.runTask('d1', 'fail disk full').result).rejects.toMatchObject({
      name: 'ConstellationError',
      code: 'TASK_FAILED',
      deviceId: 'd1',
      message: "Device 'd1': disk full",
    })
    const run = one.client.runTask('d1', 'run one')
    while ((await d1.next())['type'] !== 'command');
    d1.terminate()
    await expect(run.result).rejects.toMatchObject({
      code: 'DEVICE_DISCONNECTED',
      message: "Device 'd1': Task was cancelled because target device disconnected",
    })
    await expect(one.client.runTask('d1', 'run one').result).rejects.toMatchObject({
      code: 'REFUSED',
      reason: "Target device 'd1' is not connected",
    })
    await expect(one.client.runTask('d9', 'run one').result).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' })
    await expect(one.client.requestDeviceInfo('d1')).rejects.toMatchObject({ code: 'REFUSED', deviceId: 'd1' })
  })

  it('cancels a task on its device, by call or by signal', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await device(server.url)
    await using one = orchestrator({ devices: [target(server.url)] })
    await one.client.connect('d1')
    const abort = new AbortController()
    const runs = [
      one.client.runTask('d1', 'hang', { taskId: 'a' }),
      one.client.runTask('d1', 'hang', { taskId: 'b', signal: abort.signal }),
    ]
    await Promise.all(runs.map((run) => run.accepted))
    await runs[0]?.cancel()
    abort.abort()
    for (const run of runs) await expect(run.result).rejects.toMatchObject({ code: 'CANCELLED' })
    for (const id of ['demo@a', 'demo@b']) {
      expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'cancelled' })
    }
  })

  it('gives a task so long and not more, and ends it there too', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await device(server.url)
    await using one = orchestrator({ devices: [target(server.url)], clock })
    await one.client.connect('d1')
    const run = one.client.runTask('d1', 'hang', { taskId: 'long', timeoutMs: 60_000 })
    await run.accepted
    await clock.advance(60_000)
    await expect(run.result).rejects.toMatchObject({ code: 'TIMEOUT', reason: 'the task did not end within 60 s' })
    expect((await server.events('demo@long')).at(-1)).toMatchObject({ data: { status: 'cancelled' } })
  })

  it('resumes its tasks after its connection was lost', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await using proxy = await startCuttingProxy(server.url)
    const d1 = await device(server.url)
    await using one = orchestrator({ devices: [target(proxy.url)], clock })
    await one.client.connect('d1')
    const run = one.client.runTask('d1', 'run one', { taskId: 't1' })
    const command = await d1.next()
    await run.accepted
    proxy.cut()
    await gone(server, 'demo@d1')
    d1.answer(command, 'meanwhile')
    await server.events('demo@t1')
    const waiting = one.client.runTask('d1', 'nothing')
    await clock.advance(5000)
    expect((await run.result).result).toEqual(['meanwhile'])
    expect((await waiting.result).result).toBe('nothing to do')
    expect(one.states).toEqual(['d1 connecting', 'd1 connected', 'd1 connecting', 'd1 connected'])
    expect((await server.api('/api/sessions')).body['sessions']).toHaveLength(2)
  })

  it('hears at once that a task is paused because its device has dropped, and may give it to another', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const metadata = { platform: 'linux', aip: { version: 1, features: ['journal', 'resume', 'cancel'] } }
    const d1 = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata })
    const d2 = await device(server.url, 'd2')
    const changes: string[] = []
    const devices = [target(server.url), target(server.url, 'd2')]
    const onTaskState: ConstellationOptions['onTaskState'] = (run, state) => void changes.push(`${run.taskId} ${state}`)
    await using one = orchestrator({ devices, onTaskState })
    await one.client.connectAll()
    const run = one.client.runTask('d1', 'run one', { taskId: 't1' })
    await d1.next()
    d1.terminate()
    await vi.waitFor(() => expect(changes).toEqual(['t1 paused']))
    await run.cancel()
    await expect(run.result).rejects.toMatchObject({ code: 'CANCELLED' })
    const again = one.client.runTask('d2', 'run one')
    d2.answer(await d2.next(), 'done')
    expect(await again.result).toMatchObject({ deviceId: 'd2', result: ['done'] })
  })

  it('with resume: false loses its tasks with its connection, and cancels over the API all the same', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await using proxy = await startCuttingProxy(server.url)
    const d1 = await device(server.url)
    await using one = orchestrator({ devices: [target(proxy.url)], resume: false })
    await one.client.connect('d1')
    const first = one.client.runTask('d1', 'run one')
    await d1.next()
    await first.cancel()
    await expect(first.result).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(await d1.next()).toMatchObject({ type: 'task_end' })
    const second = one.client.runTask('d1', 'run one')
    await d1.next()
    proxy.cut()
    await expect(second.result).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    expect(await d1.next()).toMatchObject({ type: 'task_end', status: 'failed' })
  })

  it('hears why its tasks ended when the server stops, and connects to the next one', async () => {
    const clock = new ManualClock()
    const first = await startTestServer({ agents: [scriptedAgent] })
    const { port } = first.server
    await device(first.url)
    await using one = orchestrator({ devices: [target(first.url)], clock })
    await one.client.connect('d1')
    const run = one.client.runTask('d1', 'hang', { taskId: 't1' })
    await run.accepted
    await first.server.stop()
    await expect(run.result).rejects.toMatchObject({ code: 'TASK_FAILED', reason: 'The server is shutting down' })
    await using second = await startTestServer({ agents: [scriptedAgent], port })
    await device(second.url)
    await clock.advance(5000)
    await vi.waitFor(() => expect(one.states.at(-1)).toBe('d1 connected'))
  })

  it('sends a task again whose answer it missed, and it runs once', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await using proxy = await startCuttingProxy(server.url)
    const d1 = await device(server.url)
    await using one = orchestrator({ devices: [target(proxy.url)], clock })
    await one.client.connect('d1')
    proxy.swallowAnswers()
    const run = one.client.runTask('d1', 'run one', { taskId: 't1' })
    const command = await d1.next()
    expect(run.status).toBe('sent')
    proxy.cut()
    await gone(server, 'demo@d1')
    await vi.waitFor(() => expect(one.states.at(-1)).toBe('d1 connecting'))
    await clock.advance(5000)
    await run.accepted
    d1.answer(command, 'once')
    expect((await run.result).result).toEqual(['once'])
    expect((await server.api('/api/sessions')).body['sessions']).toHaveLength(1)
  })

  it('reports the tasks that a server no longer knows', async () => {
    const clock = new ManualClock()
    await using server = await ExistingServer.listen()
    await using one = orchestrator({ devices: [{ deviceId: 'd1', server: server.url }], clock })
    const connected = one.client.connect('d1')
    const resuming = { aip: { version: 1, features: ['resume'], resume_token: 'token', session_ids: [] } }
    const connection = await server.registered(resuming)
    await connected
    const run = one.client.runTask('d1', 'go')
    await connection.next()
    connection.say({ session_id: run.sessionId })
    await run.accepted
    connection.drop()
    await vi.waitFor(() => expect(one.states.at(-1)).toBe('d1 connecting'))
    const again = server.registered(resuming)
    await clock.advance(5000)
    expect((await again).registration).toMatchObject({
      metadata: { aip: { features: ['resume', 'progress'], resume_token: 'token' } },
    })
    await expect(run.result).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      reason: 'the server no longer knows the task',
    })
  })

  it('gives up at once when its key is refused', async () => {
    await using server = await startTestServer()
    await using one = orchestrator({ devices: [{ deviceId: 'd1', server: server.url, apiKey: 'wrong' }] })
    const [error] = await one.client.connectAll()
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', deviceId: 'd1' })
    expect(error?.message).toMatch(/the key is missing or wrong/)
    expect(one.client.devices).toMatchObject([{ deviceId: 'd1', status: 'failed' }])
  })

  it('tries five more times, 5 s apart, until its device is there', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await using one = orchestrator({ devices: [target(server.url)], clock })
    const connected = one.client.connect('d1')
    connected.catch(() => {})
    const attempt = (n: number): Promise<void> =>
      vi.waitFor(() => expect(server.log.lines.filter((line) => line.includes('Registration refused'))).toHaveLength(n))
    for (let n = 1; n <= 5; n += 1) {
      await attempt(n)
      await vi.waitFor(() => expect(clock.waits).toContain(5000))
      await clock.advance(5000)
    }
    await expect(connected).rejects.toMatchObject({
      code: 'NOT_CONNECTED',
      reason: "the server refused the registration: Target device 'd1' is not connected",
    })
    await expect(one.client.runTask('d1', 'nothing').result).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
    await device(server.url)
    await one.client.connect('d1')
    expect((await one.client.runTask('d1', 'nothing').result).result).toBe('nothing to do')
  })

  it('ends its tasks when it is closed, and refuses two of one id', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await device(server.url)
    const one = orchestrator({ devices: [target(server.url)] })
    await one.client.connect('d1')
    const run = one.client.runTask('d1', 'hang', { taskId: 't1' })
    await expect(one.client.runTask('d1', 'hang', { taskId: 't1' }).result).rejects.toMatchObject({ code: 'REFUSED' })
    await run.accepted
    await one.client.close()
    await expect(run.result).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(one.client.connect('d1')).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
    await gone(server, 'demo@d1')
  })
})

describe('a constellation client of an existing server', () => {
  it('runs the tasks of a device one after the other, and gives two events of each', async () => {
    await using server = await ExistingServer.listen()
    await using one = orchestrator({ devices: [{ deviceId: 'd1', server: server.url }] })
    const connected = one.client.connect('d1')
    const connection = await server.registered()
    await connected
    expect(connection.registration).toMatchObject({
      client_id: 'demo@d1',
      client_type: 'constellation',
      target_id: 'd1',
      metadata: { type: 'constellation_client', targeted_device_id: 'd1' },
    })
    const runs = ['first', 'second'].map((request) => one.client.runTask('d1', request))
    for (const run of runs) {
      const task = await connection.next()
      expect(task).toMatchObject({ type: 'task', request: run.request, session_id: run.sessionId, target_id: 'd1' })
      expect(connection.pending).toEqual([])
      connection.say({ session_id: run.sessionId })
      await run.accepted
      const end = { type: 'task_end', status: 'completed', session_id: run.sessionId }
      connection.say({ ...end, result: [{ request: run.request, result: 'R' }] })
      expect((await run.result).result).toBe('R')
      const events = []
      for await (const event of run.events()) events.push(event.type)
      expect(events).toEqual(['accepted', 'ended'])
    }
    expect(connection.pending).toEqual([])
  })

  it('takes an error without ids as the answer to what it asked last', async () => {
    await using server = await ExistingServer.listen()
    await using one = orchestrator({
      connection: 'server',
      devices: ['d1', 'd2'].map((deviceId) => ({ deviceId, server: server.url })),
    })
    const connected = one.client.connect('d1')
    const connection = await server.registered()
    await connected
    const runs = ['d1', 'd2'].map((id) => one.client.runTask(id, 'go'))
    expect(await connection.next()).toMatchObject({ target_id: 'd1' })
    connection.say({ type: 'error', status: 'error', error: 'no' })
    await expect(runs[0]?.result).rejects.toMatchObject({ code: 'REFUSED', message: "Device 'd1': no" })
    expect(await connection.next()).toMatchObject({ target_id: 'd2' })
    connection.say({ session_id: runs[1]?.sessionId })
    await runs[1]?.accepted
    // Not the answer to anything: the task continues.
    connection.say({ type: 'error', status: 'error', error: 'something else' })
    connection.say({ type: 'task_end', status: 'failed', session_id: runs[1]?.sessionId, error: 'why' })
    await expect(runs[1]?.result).rejects.toMatchObject({ code: 'TASK_FAILED', reason: 'why' })
  })

  it('loses its tasks with its connection, and connects again', async () => {
    const clock = new ManualClock()
    await using server = await ExistingServer.listen()
    await using one = orchestrator({ devices: [{ deviceId: 'd1', server: server.url }], clock })
    const connected = one.client.connect('d1')
    const connection = await server.registered()
    await connected
    const run = one.client.runTask('d1', 'go')
    await connection.next()
    connection.say({ session_id: run.sessionId })
    await run.accepted
    connection.drop()
    await expect(run.result).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      deviceId: 'd1',
      reason: 'the connection to the server was lost (1006)',
    })
    await vi.waitFor(() => expect(clock.waits).toContain(5000))
    const again = server.registered()
    await clock.advance(5000)
    await again
    await vi.waitFor(() => expect(one.states.at(-1)).toBe('d1 connected'))
  })

  it('cancels by dropping its connection', async () => {
    const clock = new ManualClock()
    await using server = await ExistingServer.listen()
    await using one = orchestrator({ devices: [{ deviceId: 'd1', server: server.url }], clock })
    const connected = one.client.connect('d1')
    const connection = await server.registered()
    await connected
    const run = one.client.runTask('d1', 'go')
    await connection.next()
    connection.say({ session_id: run.sessionId })
    await run.accepted
    await run.cancel()
    await expect(run.result).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(await connection.closed).toBe(1000)
  })

  it('sends heartbeats in its own role', async () => {
    const clock = new ManualClock()
    await using server = await ExistingServer.listen()
    await using one = orchestrator({ devices: [{ deviceId: 'd1', server: server.url }], clock })
    const connected = one.client.connect('d1')
    const connection = await server.registered()
    await connected
    await clock.advance(45_000)
    expect(await connection.next()).toMatchObject({ type: 'heartbeat', client_type: 'constellation', client_id: 'demo@d1' })
  })
})
