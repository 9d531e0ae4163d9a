import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { AIPProtocol } from '../src/protocol/aip-protocol.js'
import { CommandProtocol } from '../src/protocol/command.js'
import { DeviceInfoProtocol } from '../src/protocol/device-info.js'
import { HeartbeatProtocol } from '../src/protocol/heartbeat.js'
import { RegistrationProtocol } from '../src/protocol/registration.js'
import { TaskExecutionProtocol } from '../src/protocol/task-execution.js'
import { createLinkedTransports } from '../src/transport/linked.js'
import type { Transport } from '../src/transport/transport.js'
import { captureLog } from './support/log.js'
import { UUID, WIRE_TIME, type Json } from './support/messages.js'

const NOW = '2026-01-01T00:00:00.000000+00:00'

/** Both ends of a connection: the five protocols speak at one, frames are read and written by hand at the other. */
function connect(side: 'client' | 'server' = 'client') {
  const [near, peer] = createLinkedTransports()
  const clock = new ManualClock()
  const logger = captureLog()
  return { aip: new AIPProtocol(near, { side, clock, logger }), peer, clock, logger }
}

/** What arrived: only the fields that are set. */
async function frame(peer: Transport): Promise<Json> {
  const all = JSON.parse(String(await peer.receive())) as Json
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
}

describe('registration', () => {
  const OK = '{"type":"heartbeat","status":"ok"}'

  it('of a device carries its id, metadata and platform [S-022]', async () => {
    const { aip, peer } = connect()
    const registering = new RegistrationProtocol(aip).registerAsDevice('dev', { system_info: { cpu_count: 4 } }, 'linux')
    expect(await frame(peer)).toEqual({
      type: 'register',
      status: 'ok',
      client_type: 'device',
      client_id: 'dev',
      timestamp: NOW,
      metadata: { platform: 'linux', registration_time: NOW, system_info: { cpu_count: 4 } },
    })
    await peer.send(OK)
    expect(await registering).toBe(true)
  })

  it('keeps a platform and a time that the metadata have', async () => {
    const { aip, peer } = connect()
    const registering = new RegistrationProtocol(aip).registerAsDevice(
      'dev',
      { platform: 'darwin', registration_time: 't' },
      'linux',
    )
    expect(await frame(peer)).toMatchObject({ metadata: { platform: 'darwin', registration_time: 't' } })
    await peer.send(OK)
    await registering
  })

  it('of a constellation carries its target', async () => {
    const { aip, peer } = connect()
    const registering = new RegistrationProtocol(aip).registerAsConstellation('con', 'dev', { version: '2.0' })
    expect(await frame(peer)).toMatchObject({
      type: 'register',
      client_type: 'constellation',
      client_id: 'con',
      target_id: 'dev',
      metadata: { type: 'constellation_client', targeted_device_id: 'dev', version: '2.0', registration_time: NOW },
    })
    await peer.send(OK)
    expect(await registering).toBe(true)
  })

  it.each([
    ['{"type":"heartbeat","status":"ok"}', true],
    ['{"type":"REGISTER_CONFIRM","status":"success"}', true],
    ['{"type":"REGISTRATION_ACK"}', true],
    ['{"type":"error","status":"error","error":"no"}', false],
    ['{"type":"ERROR","error":"no"}', false],
    ['{"type":"heartbeat","status":"error"}', false],
    ['{"type":"command","status":"continue"}', false],
    ['{"type":"task_end","status":"ok"}', true],
  ])('is decided by the first answer %s: %s [S-021]', async (answer, accepted) => {
    const { aip, peer } = connect()
    const registering = new RegistrationProtocol(aip).registerAsDevice('dev')
    await peer.send(answer)
    expect(await registering).toBe(accepted)
  })

  it('tells the whole confirmation, or the reason why not', async () => {
    const first = connect()
    const accepted = new RegistrationProtocol(first.aip).register({ clientId: 'dev', clientType: 'device' })
    await first.peer.send('{"type":"heartbeat","status":"ok","result":{"aip":{"version":1}}}')
    expect(await accepted).toMatchObject({ accepted: true, confirmation: { result: { aip: { version: 1 } } } })

    const second = connect()
    const refused = new RegistrationProtocol(second.aip).register({ clientId: 'dev', clientType: 'device' })
    await second.peer.send('{"type":"error","error":"taken"}')
    expect(await refused).toEqual({ accepted: false, reason: 'taken' })

    const third = connect()
    const silent = new RegistrationProtocol(third.aip).register({ clientId: 'dev', clientType: 'device' })
    await third.peer.send('{"type":"error"}')
    expect(await silent).toEqual({ accepted: false, reason: 'Unknown error' })
  })

  it('rejects when the connection ends before the answer', async () => {
    const { aip, peer } = connect()
    const registering = new RegistrationProtocol(aip).registerAsDevice('dev')
    await peer.receive()
    await peer.close()
    await expect(registering).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    await expect(new RegistrationProtocol(aip).registerAsDevice('dev')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  it('rejects when the answer cannot be read', async () => {
    const { aip, peer } = connect()
    const registering = new RegistrationProtocol(aip).registerAsDevice('dev')
    await peer.send('nonsense')
    await expect(registering).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
  })

  it('is confirmed and refused by the server [S-184] [S-200]', async () => {
    const { aip, peer } = connect('server')
    const registration = new RegistrationProtocol(aip)
    await registration.sendRegistrationConfirmation({ aip: { version: 1 } })
    const confirmation = await frame(peer)
    expect(confirmation).toEqual({
      type: 'heartbeat',
      status: 'ok',
      timestamp: NOW,
      response_id: expect.stringMatching(UUID) as unknown,
      result: { aip: { version: 1 } },
    })
    await registration.sendRegistrationError('taken')
    expect(await frame(peer)).toEqual({
      type: 'error',
      status: 'error',
      error: 'taken',
      timestamp: NOW,
      response_id: expect.stringMatching(UUID) as unknown,
    })
  })

  it('works on a bare transport', async () => {
    const [near, peer] = createLinkedTransports()
    const registration = new RegistrationProtocol(near)
    expect(registration.transport).toBe(near)
    const registering = registration.registerAsDevice('dev')
    expect((await frame(peer))['timestamp']).toMatch(WIRE_TIME)
    await peer.send(OK)
    expect(await registering).toBe(true)
  })
})

describe('heartbeats', () => {
  const BEAT = { type: 'heartbeat', status: 'ok', client_type: 'device', client_id: 'dev' }

  it('carry type, client_id, time and status, and return nothing [S-042] [S-092]', async () => {
    const { aip, peer } = connect()
    expect(await new HeartbeatProtocol(aip).sendHeartbeat('dev')).toBe(undefined)
    expect(await frame(peer)).toEqual({ ...BEAT, timestamp: NOW })
  })

  it('of a constellation say so, with metadata', async () => {
    const { aip, peer } = connect()
    await new HeartbeatProtocol(aip).sendHeartbeat('con', 'constellation', { device_id: 'dev' })
    expect(await frame(peer)).toMatchObject({ client_type: 'constellation', client_id: 'con', metadata: { device_id: 'dev' } })
  })

  it('are answered with a time and a response_id [S-185] [S-230]', async () => {
    const { aip, peer } = connect('server')
    const heartbeat = new HeartbeatProtocol(aip)
    await heartbeat.sendHeartbeatAck()
    expect(await frame(peer)).toEqual({
      type: 'heartbeat',
      status: 'ok',
      timestamp: NOW,
      response_id: expect.stringMatching(UUID) as unknown,
    })
    await heartbeat.sendHeartbeatAck('r1')
    expect(await frame(peer)).toMatchObject({ response_id: 'r1' })
  })

  it('go out after every interval, until they are stopped', async () => {
    const { aip, peer, clock } = connect()
    const heartbeat = new HeartbeatProtocol(aip)
    heartbeat.startHeartbeat('dev', 30)
    const arrived = countFrames(peer)
    await clock.advance(29_999)
    expect(arrived()).toBe(0)
    await clock.advance(1)
    expect(arrived()).toBe(1)
    await clock.advance(60_000)
    expect(arrived()).toBe(3)
    heartbeat.stopHeartbeat()
    expect(clock.pending).toBe(0)
    await clock.advance(60_000)
    expect(arrived()).toBe(3)
  })

  it('go out every 30 s unless told otherwise', () => {
    const { aip, clock } = connect()
    new HeartbeatProtocol(aip).startHeartbeat('dev')
    expect(clock.waits).toEqual([30_000])
  })

  it('started twice go out once, under the second id', async () => {
    const { aip, peer, clock } = connect()
    const heartbeat = new HeartbeatProtocol(aip)
    heartbeat.startHeartbeat('one', 30)
    heartbeat.startHeartbeat('two', 30)
    await clock.advance(30_000)
    expect(await frame(peer)).toMatchObject({ client_id: 'two' })
    expect(clock.pending).toBe(1)
  })

  it('restarted while one is on its way keep the new id', async () => {
    const { aip, clock } = connect()
    const sent: unknown[] = []
    let release = (): void => {}
    aip.addMiddleware({
      async outgoing(outgoing) {
        sent.push(outgoing.message['client_id'])
        if (sent.length === 1) await new Promise<void>((resolve) => (release = resolve))
        return outgoing
      },
    })
    const heartbeat = new HeartbeatProtocol(aip)
    heartbeat.startHeartbeat('one', 10)
    await clock.advance(10_000)
    heartbeat.startHeartbeat('two', 20)
    release()
    await clock.advance(20_000)
    expect(sent).toEqual(['one', 'two'])
    expect(clock.waits).toEqual([20_000])
  })

  it('stopped while one is on its way stay stopped', async () => {
    const { aip, clock } = connect()
    let release = (): void => {}
    aip.addMiddleware({ outgoing: (outgoing) => new Promise((resolve) => (release = () => resolve(outgoing))) })
    const heartbeat = new HeartbeatProtocol(aip)
    heartbeat.startHeartbeat('dev', 10)
    await clock.advance(10_000)
    heartbeat.stopHeartbeat()
    release()
    await clock.advance(10_000)
    expect(clock.pending).toBe(0)
  })

  it('end when one cannot be sent, without an error', async () => {
    const { aip, peer, clock, logger } = connect()
    new HeartbeatProtocol(aip).startHeartbeat('dev', 10)
    await peer.close()
    await clock.advance(10_000)
    expect(clock.pending).toBe(0)
    expect(logger.lines).toEqual(['debug Heartbeat failed: WebSocket connection is closed'])
  })
})

/** Counts what arrives at a transport from now on. */
function countFrames(peer: Transport): () => number {
  let count = 0
  const read = async (): Promise<void> => {
    for (;;) {
      await peer.receive()
      count += 1
    }
  }
  read().catch(() => {})
  return () => count
}

describe('tasks', () => {
  it('are asked for by a device, for itself [S-093]', async () => {
    const { aip, peer } = connect()
    const sent = await new TaskExecutionProtocol(aip).sendTaskRequest({
      request: 'report',
      taskName: 'name',
      sessionId: null,
      clientId: 'dev',
      metadata: { platform: 'linux' },
    })
    expect(sent).toBe(undefined)
    expect(await frame(peer)).toEqual({
      type: 'task',
      status: 'continue',
      client_type: 'device',
      request: 'report',
      task_name: 'name',
      client_id: 'dev',
      metadata: { platform: 'linux' },
      timestamp: NOW,
      request_id: expect.stringMatching(UUID) as unknown,
    })
  })

  it('are asked for by a constellation, for a device', async () => {
    const { aip, peer } = connect()
    await new TaskExecutionProtocol(aip).sendTaskRequest({
      request: 'report',
      taskName: 'name',
      sessionId: 's1',
      clientId: 'con',
      clientType: 'constellation',
      targetId: 'dev',
      requestId: 'q1',
    })
    expect(await frame(peer)).toMatchObject({
      client_type: 'constellation',
      target_id: 'dev',
      session_id: 's1',
      request_id: 'q1',
    })
  })

  it('results answer a command [S-094]', async () => {
    const { aip, peer } = connect()
    const result = { status: 'success' as const, error: null, result: 0, namespace: 'n', call_id: 'c1' }
    const sent = await new TaskExecutionProtocol(aip).sendTaskResult({
      sessionId: 's1',
      prevResponseId: 'r1',
      actionResults: [result],
      status: 'continue',
      clientId: 'dev',
    })
    expect(sent).toBe(undefined)
    expect(await frame(peer)).toEqual({
      type: 'command_results',
      status: 'continue',
      client_type: 'device',
      session_id: 's1',
      prev_response_id: 'r1',
      action_results: [result],
      client_id: 'dev',
      timestamp: NOW,
      request_id: expect.stringMatching(UUID) as unknown,
    })
  })

  it('are assigned, acknowledged and refused by the server [S-187]', async () => {
    const { aip, peer } = connect('server')
    const task = new TaskExecutionProtocol(aip)
    await task.sendTaskAssignment({ userRequest: 'report', taskName: 'name', sessionId: 's1' })
    expect(await frame(peer)).toEqual({
      type: 'task',
      status: 'continue',
      user_request: 'report',
      task_name: 'name',
      session_id: 's1',
      timestamp: NOW,
      response_id: expect.stringMatching(UUID) as unknown,
    })
    await task.sendAck('s1', 'r1')
    expect(await frame(peer)).toEqual({ type: 'heartbeat', status: 'ok', session_id: 's1', timestamp: NOW, response_id: 'r1' })
    await task.sendError('no', 'r2')
    expect(await frame(peer)).toEqual({ type: 'error', status: 'error', error: 'no', timestamp: NOW, response_id: 'r2' })
  })

  it('come to batches of commands', async () => {
    const { aip, peer } = connect('server')
    const actions = [{ tool_name: 'click', tool_type: 'action' as const, parameters: { x: 1 }, call_id: 'c1' }]
    await new TaskExecutionProtocol(aip).sendCommands({
      actions,
      sessionId: 's1',
      taskName: 'name',
      responseId: 'r1',
      agentName: 'LinuxAgent',
    })
    expect(await frame(peer)).toEqual({
      type: 'command',
      status: 'continue',
      agent_name: 'LinuxAgent',
      process_name: '',
      root_name: '',
      actions,
      session_id: 's1',
      task_name: 'name',
      timestamp: NOW,
      response_id: 'r1',
    })
  })

  it.each([
    [
      { status: 'completed' as const, result: [] },
      { status: 'completed', result: [] },
    ],
    [
      { status: 'failed' as const, error: 'why' },
      { status: 'failed', error: 'why' },
    ],
  ])('end as %j', async (end, expected) => {
    const { aip, peer } = connect('server')
    await new TaskExecutionProtocol(aip).sendTaskEnd({ sessionId: 's1', responseId: 'r1', ...end })
    expect(await frame(peer)).toEqual({ type: 'task_end', session_id: 's1', response_id: 'r1', timestamp: NOW, ...expected })
  })

  it('have an end that is acknowledged', async () => {
    const { aip, peer } = connect()
    await new TaskExecutionProtocol(aip).sendTaskEndAck({ sessionId: 's1', clientId: 'con', status: 'completed' })
    expect(await frame(peer)).toMatchObject({ type: 'task_end', status: 'completed', session_id: 's1', client_id: 'con' })
  })

  it('are cancelled whole, by batch or by call; results are acknowledged', async () => {
    const { aip, peer } = connect('server')
    const task = new TaskExecutionProtocol(aip)
    await task.sendCancel({ sessionId: 's1', reason: 'user' })
    const whole = JSON.parse(String(await peer.receive())) as Json
    expect(whole).toMatchObject({ type: 'cancel', session_id: 's1', response_id: null, call_id: null, reason: 'user' })
    await task.sendCancel({ sessionId: 's1', responseId: 'r1', callId: 'c1', reason: 'user' })
    expect(await frame(peer)).toMatchObject({ response_id: 'r1', call_id: 'c1' })
    await task.sendResultsAck('r1')
    expect(await frame(peer)).toEqual({ type: 'results_ack', status: 'ok', timestamp: NOW, response_id: 'r1' })
  })

  it('tell their progress', async () => {
    const { aip, peer } = connect()
    const task = new TaskExecutionProtocol(aip)
    await task.sendProgress({ sessionId: 's1', clientId: 'dev', callId: 'c1', progress: 0, total: 10, message: 'half' })
    expect(await frame(peer)).toMatchObject({
      type: 'progress',
      session_id: 's1',
      call_id: 'c1',
      progress: 0,
      total: 10,
      message: 'half',
    })
    await task.sendProgress({ sessionId: 's1', clientId: 'dev', callId: 'c1', progress: 1 })
    const bare = await frame(peer)
    expect(bare).not.toHaveProperty('total')
    expect(bare).not.toHaveProperty('message')
  })
})

describe('device information', () => {
  it('is asked for by a constellation', async () => {
    const { aip, peer } = connect()
    await new DeviceInfoProtocol(aip).requestDeviceInfo('con', 'dev', 'q1')
    expect(await frame(peer)).toEqual({
      type: 'device_info_request',
      status: 'ok',
      client_type: 'constellation',
      client_id: 'con',
      target_id: 'dev',
      request_id: 'q1',
      timestamp: NOW,
    })
  })

  it('is answered under the id of the request, and asked for by the server [S-186]', async () => {
    const { aip, peer } = connect('server')
    const info = new DeviceInfoProtocol(aip)
    await info.sendDeviceInfoResponse({ device_id: 'dev' }, 'q1')
    expect(await frame(peer)).toEqual({
      type: 'device_info_response',
      status: 'ok',
      result: { device_id: 'dev' },
      response_id: 'q1',
      timestamp: NOW,
    })
    await info.sendDeviceInfoResponse({ device_id: 'dev' }, null)
    expect(JSON.parse(String(await peer.receive()))).toHaveProperty('response_id', null)
    await info.sendDeviceInfoRequest()
    expect(await frame(peer)).toMatchObject({ type: 'device_info_request', status: 'ok', timestamp: NOW })
  })

  it('is reported by a device', async () => {
    const { aip, peer } = connect()
    await new DeviceInfoProtocol(aip).sendDeviceInfoPush('dev', { cpu_count: 4 })
    expect(await frame(peer)).toMatchObject({ type: 'device_info_response', client_id: 'dev', metadata: { cpu_count: 4 } })
  })
})

describe('commands and results are checked before they are sent', () => {
  const commands = new CommandProtocol(createLinkedTransports()[0])

  it('completes what is valid', () => {
    const command = { tool_name: 'a', parameters: null, tool_type: null, call_id: null }
    const result = { status: 'success', error: null, result: null, namespace: null, call_id: null }
    expect(commands.validateCommand({ tool_name: 'a' })).toEqual(command)
    expect(commands.validateCommand({ action: 'a', tool_type: '' })).toEqual(command)
    expect(commands.validateCommands([{ tool_name: 'a' }, { tool_name: 'b' }])).toEqual([command, { ...command, tool_name: 'b' }])
    expect(commands.validateResult({ status: 'success' })).toEqual(result)
    expect(commands.validateResults([{ status: 'success' }])).toEqual([result])
  })

  it.each([
    ['command.tool_name', () => commands.validateCommand({})],
    ['command', () => commands.validateCommand('a')],
    ['commands.1.tool_type', () => commands.validateCommands([{ tool_name: 'a' }, { tool_name: 'b', tool_type: 'other' }])],
    ['result.status', () => commands.validateResult({ status: 'ERROR' })],
    ['results.0.error', () => commands.validateResults([{ status: 'failure', error: 5 }])],
  ])('names the field %s', (field, check) => {
    expect(check).toThrow(
      expect.objectContaining({
        code: 'INVALID_MESSAGE',
        message: expect.stringContaining(`field '${field}'`) as unknown,
      }) as Error,
    )
  })
})
