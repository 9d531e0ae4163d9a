import { describe, expect, it, vi } from 'vitest'
import type { Json } from '../../../test/support/wire-client.js'
import type { Session } from '../src/sessions/session.js'
import { HandlerRig } from './support/handler-rig.js'

const DEVICE: Json = { client_id: 'd1' }
const CONSTELLATION: Json = { client_id: 'c1', client_type: 'constellation' }

function task(request: string, sessionId: string): Json {
  return { type: 'task', client_type: 'constellation', target_id: 'd1', request, session_id: sessionId }
}

describe('the handler', () => {
  it('is made from its managers and serves a connection from the registration on [S-099 S-100 S-181]', async () => {
    await using rig = new HandlerRig()
    const client = rig.connect()
    expect(client.transport.state).toBe('connected')
    await client.send({ type: 'register', ...DEVICE })
    expect(await client.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
    await client.transport.close(1000, 'done')
    await client.served
    expect(rig.clients.listClients()).toEqual([])
  })

  it('checks, stores, lists, and only then confirms [S-035 S-199]', async () => {
    await using rig = new HandlerRig()
    const client = rig.connect()
    const atConfirmation: unknown[] = []
    client.faults.beforeSend = () => atConfirmation.push(rig.clients.getClientInfo('d1')?.systemInfo)
    await client.send({ type: 'register', ...DEVICE, metadata: { system_info: { hostname: 'lab' } } })
    await client.next()
    expect(atConfirmation).toEqual([{ hostname: 'lab' }])
    const info = rig.clients.getClientInfo('d1')
    expect(info?.transport).toBe(client.faults)
    expect(info?.taskProtocol.transport).toBe(client.faults)
  })

  it('enters a session for both clients and keeps it while it runs, and not afterwards [S-117 S-220 S-222]', async () => {
    await using rig = new HandlerRig()
    const device = await rig.register(DEVICE)
    const constellation = await rig.register(CONSTELLATION)
    await constellation.send(task('run slow', 's1'))
    expect(await constellation.next()).toMatchObject({ type: 'heartbeat', session_id: 's1' })
    const command = await device.next()
    const { live } = rig.sessions
    const idsOf = (sessions: readonly Session[]): string[] => sessions.map((session) => session.task.sessionId)
    expect(idsOf(live.ofConstellation('c1'))).toEqual(['s1'])
    expect(idsOf(live.onDevice('d1'))).toEqual(['s1'])
    expect(live.get('s1')?.task).toMatchObject({ deviceId: 'd1', owner: { client_id: 'c1' } })
    await device.send({
      type: 'command_results',
      session_id: 's1',
      prev_response_id: command['response_id'],
      action_results: [{ status: 'success' }],
    })
    expect(await constellation.next()).toMatchObject({ type: 'task_end', status: 'completed' })
    expect(live.ofConstellation('c1')).toEqual([])
    expect(live.onDevice('d1')).toEqual([])
    expect(live.get('s1')).toBeUndefined()
  })
})

describe('a task that is being acknowledged', () => {
  it('does not keep the server from stopping', async () => {
    await using rig = new HandlerRig()
    const device = await rig.register(DEVICE)
    const stops: Promise<void>[] = []
    device.faults.beforeSend = () => {
      if (stops.length === 0) stops.push(rig.sessions.stop(false))
    }
    await device.send({ type: 'task', request: 'hang', session_id: 's1' })
    expect(await device.next()).toMatchObject({ type: 'heartbeat', session_id: 's1' })
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'failed' })
    await Promise.all(stops)
    expect(rig.sessions.live.get('s1')).toBeUndefined()
  })
})

describe('a message that cannot be sent', () => {
  const fail = (): never => {
    throw new Error('wire cut')
  }

  it('as the answer of a heartbeat is logged at debug only [S-132]', async () => {
    await using rig = new HandlerRig()
    const client = await rig.register(DEVICE)
    client.faults.beforeSend = fail
    await client.send({ type: 'heartbeat' })
    await vi.waitFor(() => expect(rig.log.lines).toContain('debug [WS] [AIP] Could not send heartbeat ack: wire cut'))
    client.faults.beforeSend = () => {}
    await client.send({ type: 'heartbeat' })
    expect(await client.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
    expect(rig.log.lines.filter((line) => line.startsWith('error'))).toEqual([])
  })

  it('as an error is logged at debug, and the connection stays [S-208]', async () => {
    await using rig = new HandlerRig()
    const client = await rig.register(DEVICE)
    client.faults.beforeSend = fail
    await client.transport.send('{oops')
    await vi.waitFor(() => expect(rig.log.lines).toContain('debug Could not send error response: wire cut'))
    expect(rig.clients.isOnline('d1')).toBe(true)
  })

  it('as a result is logged with its session, and the other client still gets it [S-139]', async () => {
    await using rig = new HandlerRig()
    const device = await rig.register(DEVICE)
    const constellation = await rig.register(CONSTELLATION)
    constellation.faults.beforeSend = (frame) => {
      if (frame.includes('"task_end"')) fail()
    }
    await constellation.send(task('nothing', 's1'))
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'completed' })
    expect(rig.log.lines).toContain('error [WS] ❌ Failed to send result for s1: wire cut')
  })

  it('because the connection is closing is ignored: its state is looked at first [S-136 S-247 S-256]', async () => {
    await using rig = new HandlerRig()
    const device = await rig.register(DEVICE)
    const constellation = await rig.register(CONSTELLATION)
    await constellation.send(task('hang', 's1'))
    await constellation.next()
    const sent: string[] = []
    constellation.faults.beforeSend = (frame) => sent.push(frame)
    constellation.faults.shownState = 'disconnecting'
    rig.sessions.cancelTask('s1', 'user_requested')
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 's1' })
    expect(sent).toEqual([])
    expect(rig.log.lines).toContain('debug [WS] Cannot send result, connection closed for s1')
  })
})

describe('a defect', () => {
  it('in the start of a task is logged and answered with an error that tells no internals; its stack is in the log [S-134 S-273]', async () => {
    await using rig = new HandlerRig()
    const device = await rig.register(DEVICE)
    vi.spyOn(rig.sessions, 'executeTask').mockRejectedValueOnce(new Error('secret of the server'))
    await device.send({ type: 'task', request: 'run echo' })
    const answer = await device.next()
    expect(answer).toMatchObject({ type: 'error', status: 'error' })
    expect(JSON.stringify(answer)).not.toContain('secret')
    expect(rig.log.lines).toContain('error Error handling task: secret of the server')
    expect(rig.log.lines).toContainEqual(expect.stringMatching(/^error Error: secret of the server\n +at .*handler\.test\.ts/))
    await device.send({ type: 'task', request: 'nothing' })
    expect(await device.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
  })

  it('in receiving is logged, and the client is cleaned up [S-238]', async () => {
    await using rig = new HandlerRig()
    const device = await rig.register(DEVICE)
    device.faults.breakReceiving(new TypeError('cannot read'))
    await device.send({ type: 'heartbeat' }).catch(() => {})
    await device.served
    expect(rig.log.lines).toContain('error [WS] Error with client d1: cannot read')
    expect(rig.clients.isOnline('d1')).toBe(false)
    expect(device.transport.state).toBe('disconnected')
  })

  it('in the end of one session of a client that left does not keep the others from ending [S-241]', async () => {
    await using rig = new HandlerRig()
    const device = await rig.register(DEVICE)
    const constellation = await rig.register(CONSTELLATION)
    for (const id of ['a', 'b', 'c']) {
      await constellation.send(task('hang', id))
      await constellation.next()
    }
    const original = rig.sessions.cancelTask.bind(rig.sessions)
    const stuck = vi.spyOn(rig.sessions, 'cancelTask').mockImplementation((id, reason) => {
      if (id === 'b') throw new Error('stuck')
      return original(id, reason)
    })
    device.transport.terminate()
    await device.served
    stuck.mockRestore()
    const ends = [await constellation.next(), await constellation.next()]
    expect(new Set(ends.map((end) => end['session_id']))).toEqual(new Set(['a', 'c']))
    expect(rig.log.lines).toContain('error Error cancelling session b: stuck')
    expect(rig.log.lines).toContain('info [WS] d1 disconnected')
    rig.sessions.cancelTask('b', 'device_disconnected')
  })

  it('in reporting the end is logged, and the session keeps its result [S-252]', async () => {
    await using rig = new HandlerRig()
    const device = await rig.register(DEVICE)
    vi.spyOn(rig.peers, 'client').mockReturnValueOnce({ sendEnd: () => Promise.reject(new Error('callback broke')) })
    await device.send({ type: 'task', request: 'nothing', session_id: 's1' })
    await device.next()
    await vi.waitFor(() => expect(rig.log.lines).toContain('error Callback error for session s1: callback broke'))
    const [runId = ''] = await rig.store.find({})
    expect((await rig.store.records(runId)).at(-1)).toMatchObject({
      type: 'ended',
      data: { status: 'completed', result: 'nothing to do', error: null },
    })
  })
})
