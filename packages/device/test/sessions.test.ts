import { describe, expect, it } from 'vitest'
import { McpServer } from '@modelcontextprotocol/server'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { z } from 'zod'
import { DEVICE_LIMITS } from '../src/limits.js'
import { withServers } from './support/config.js'
import { Holder } from './support/holder.js'
import { dial, online } from './support/running-device.js'

const bare = withServers({})
const call = (tool_name: string, parameters: object | null = null) => ({ tool_name, parameters })

/** A server inside the process whose result cannot be written as JSON. */
function unspeakable(): McpServer {
  const server = new McpServer({ name: 'unspeakable', version: '1.0.0' })
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  server.registerTool('circle', { outputSchema: z.looseObject({}) }, () => ({ content: [], structuredContent: circle }))
  return server
}

describe('sessions of a device', () => {
  it('answers a batch with its ids, status and one result per command, in order [S-051 S-069 S-070 S-072 S-073 S-094 S-164 S-179]', async () => {
    const holder = new Holder()
    await using running = await online({ config: bare, localServers: { lab: holder.factory } })
    running.connection.command([call('quick'), call('')], { response_id: 'r7', session_id: 's7', status: 'continue' })
    const answer = await running.connection.next('command_results')
    expect(answer).toMatchObject({
      status: 'continue',
      session_id: 's7',
      prev_response_id: 'r7',
      client_id: 'lab-1',
      client_type: 'device',
      action_results: [
        { status: 'success', result: 'quick', namespace: 'lab', call_id: 'c1', error: null },
        { status: 'success', result: 'No action taken.', namespace: null, call_id: 'c2', error: '' },
      ],
    })
    expect(running.device.client.sessionId).toBe('s7')
    await running.logger.until('info [WS] [AIP] Sent client result for prev_response_id: r7')
    expect(running.logger.lines).toContain('info Executing 2 actions in total')
  })

  it('answers an empty batch with no results', async () => {
    await using running = await online({ config: bare })
    expect(await running.connection.run([])).toEqual([])
  })

  it('asks for a task when the server assigns one, as one that has no session yet [S-050 S-059 S-060 S-061 S-063 S-064 S-065 S-175]', async () => {
    await using running = await online({ config: bare })
    running.connection.send('task_assignment', { user_request: 'look around', task_name: 'tour', session_id: 'dispatched' })
    const request = await running.connection.next('task')
    expect(request).toMatchObject({
      status: 'continue',
      request: 'look around',
      task_name: 'tour',
      session_id: null,
      client_id: 'lab-1',
      metadata: { platform: expect.stringMatching(/^(linux|windows)$/) },
    })
    expect(running.device.client.ufoClient.sessionId).toBeNull()
    await running.device.client.currentTask
    const { lines } = running.logger
    const order = ['Starting task: look around', 'Client state has been reset.', 'Sent task request with platform: ']
    const places = order.map((text) => lines.findIndex((line) => line.includes(text)))
    expect(places.every((place) => place >= 0)).toBe(true)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  })

  it('gives a task without a name a UUID, and takes tasks of the application [S-062 S-068 S-089]', async () => {
    await using running = await online({ config: bare })
    await running.device.client.startTask('look around')
    expect((await running.connection.next('task'))['task_name']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
  })

  it('sends no platform with its task when it has none [S-064]', async () => {
    await using running = await online({ config: bare, platform: '' })
    await running.device.client.startTask('look around')
    expect((await running.connection.next('task'))['metadata']).toBeNull()
  })

  it('asks for a task in the background, when its lock is free [S-060 S-066]', async () => {
    await using running = await online({ config: bare })
    const { client } = running.device
    const gate = Promise.withResolvers<void>()
    const held = client.ufoClient.taskLock.run(() => gate.promise)
    running.connection.send('task_assignment', { user_request: 'look around', task_name: 'tour' })
    await running.logger.until('Starting task: look around')
    const { currentTask } = client
    expect(await Promise.race([currentTask, Promise.resolve('waits')])).toBe('waits')
    running.connection.send('heartbeat_ack')
    await running.logger.until('Heartbeat received')
    expect(running.connection.frames.map((frame) => frame['type'])).toEqual(['register'])
    gate.resolve()
    await Promise.all([held, currentTask])
    expect((await running.connection.next('task'))['task_name']).toBe('tour')
  })

  it('is free again when its own reset fails before a task', async () => {
    await using running = await online({ config: bare })
    const { client } = running.device
    const { reset } = client.ufoClient
    client.ufoClient.reset = () => Promise.reject(new Error('reset broke'))
    await client.startTask('look around')
    expect(running.logger.lines).toContain('error [WS] [AIP] Error sending task request: reset broke')
    client.ufoClient.reset = reset
    await client.startTask('look again')
    expect((await running.connection.next('task'))['request']).toBe('look again')
  })

  it('asks for the task of the command line once, after its first registration', async () => {
    await using running = await online({ config: bare, request: 'look around', taskName: 'tour' })
    expect(await running.connection.next('task')).toMatchObject({ request: 'look around', task_name: 'tour' })
  })

  it('runs no second task until the first has ended, but keeps those that an existing server assigns, in order [S-058 S-178]', async () => {
    await using running = await online({ config: bare })
    const { connection, logger } = running
    connection.send('task_assignment', { user_request: 'one', task_name: 'one' })
    await connection.next('task')
    connection.send('task_ack', { session_id: 's1' })
    connection.send('task_assignment', { user_request: 'two', task_name: 'two' })
    await logger.until('warn [WS] Task s1 is still running, ignoring new task')
    connection.send('task_end', { session_id: 's1', status: 'completed', result: [{ request: 'one' }] })
    connection.send('task_assignment', { user_request: 'three', task_name: 'three' })
    expect(await connection.next('task')).toMatchObject({ request: 'two', task_name: 'two' })
    await logger.until('is still running, ignoring new task')
    connection.send('task_ack', { session_id: 's2' })
    connection.send('task_end', { session_id: 's2', status: 'completed', result: [{ request: 'two' }] })
    expect((await connection.next('task'))['request']).toBe('three')
  })

  it('starts a kept task when the connection of the running one has ended, and the server is back', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock })
    const { connection, logger, server } = running
    for (const name of ['one', 'two']) connection.send('task_assignment', { user_request: name, task_name: name })
    await connection.next('task')
    await logger.until('still running, ignoring new task')
    connection.socket.terminate()
    await logger.until('Retrying in')
    await clock.advance(2000)
    const next = await server.connection()
    await next.accept(null)
    expect((await next.next('task'))['request']).toBe('two')
  })

  it('keeps only so many', async () => {
    await using running = await online({ config: bare })
    const { connection, logger } = running
    connection.send('task_assignment', { user_request: 'first', task_name: 'first' })
    await connection.next('task')
    for (let n = 0; n < DEVICE_LIMITS.waitingTasks + 1; n += 1)
      connection.send('task_assignment', { user_request: `${n}`, task_name: `${n}` })
    connection.send('task_end', { session_id: 'first', status: 'completed' })
    for (let n = 0; n < DEVICE_LIMITS.waitingTasks; n += 1) {
      expect((await connection.next('task'))['request']).toBe(`${n}`)
      connection.send('task_end', { session_id: `s${n}`, status: 'completed' })
    }
    connection.send('task_assignment', { user_request: 'last', task_name: 'last' })
    expect((await connection.next('task'))['request']).toBe('last')
    expect(logger.lines.filter((line) => line.includes('still running'))).toHaveLength(DEVICE_LIMITS.waitingTasks + 1)
  })

  it('keeps none of a server of Orrery, which lines them up itself', async () => {
    await using running = await online({ config: bare }, { aip: { version: 1, features: ['cancel'], heartbeat_ms: 30_000 } })
    const { connection, logger } = running
    for (const name of ['one', 'two']) connection.send('task_assignment', { user_request: name, task_name: name })
    await connection.next('task')
    await logger.until('still running, ignoring new task')
    connection.send('task_end', { session_id: 's1', status: 'completed' })
    connection.send('task_assignment', { user_request: 'three', task_name: 'three' })
    expect((await connection.next('task'))['request']).toBe('three')
  })

  it('is free again when the server refuses its task', async () => {
    await using running = await online({ config: bare })
    const { connection, device, logger } = running
    await device.client.startTask('')
    connection.send('server_error', { error: 'Task request cannot be empty' })
    await logger.until('Server error')
    await device.client.startTask('look around')
    await connection.next('task')
    expect((await connection.next('task'))['request']).toBe('look around')
  })

  it('logs a task that cannot be sent, without throwing [S-067 S-091]', async () => {
    await using running = await dial({ config: bare })
    await running.device.client.startTask('look around')
    expect(running.logger.lines.some((line) => line.startsWith('error [WS] [AIP] Error sending task request: '))).toBe(true)
  })

  it('sends no task before it is registered [S-015]', async () => {
    await using running = await dial({ config: bare })
    const connection = await running.server.connection()
    await connection.next('register')
    await running.device.client.startTask('look around')
    expect(running.logger.lines).toContain('error [WS] [AIP] Error sending task request: Transport not connected')
    connection.send('register_confirm')
    await running.device.registered
    await connection.run([])
    expect(connection.frames.map((frame) => frame['type'])).toEqual(['register', 'command_results'])
  })

  it('tells the server when a task request fails on an open connection [S-067 S-095]', async () => {
    await using running = await online({ config: bare })
    running.device.client.connection!.tasks.sendTaskRequest = () => Promise.reject(new Error('lost its words'))
    await running.device.client.startTask('look around')
    expect(await running.connection.next('error')).toMatchObject({
      error: 'lost its words',
      status: 'error',
      timestamp: expect.any(String),
    })
  })

  it('tells how each session ended and resets itself [S-052 S-074 S-075 S-076 S-077 S-171 S-174 S-176]', async () => {
    await using running = await online({ config: bare })
    const { connection, logger, device } = running
    connection.send('task_end', { session_id: 'a', status: 'completed', result: [{ ok: true }] })
    connection.send('task_end', { session_id: 'b', status: 'failed', error: 'no disk' })
    connection.send('task_end', { session_id: 'c', status: 'continue' })
    await logger.until('warn [WS] Unknown task status for c: continue')
    expect(logger.lines).toContain('info [WS] Task a completed, result: [{"ok":true}]')
    expect(logger.lines).toContain('info [WS] Task b failed, with error: no disk')

    await connection.run([call('')], { session_id: 'd', status: 'completed' })
    await logger.until('Client state has been reset.')
    const sent = logger.lines.findIndex((line) => line.includes('Sent client result'))
    const ended = logger.lines.findIndex((line) => line.includes('[WS] Task d completed'))
    expect(sent).toBeGreaterThan(0)
    expect(ended).toBeGreaterThan(sent)
    expect(device.client.ufoClient).toMatchObject({ sessionId: null, agentName: null, processName: null, rootName: null })
  })

  it('answers heartbeats and a second session while a tool runs [S-011 S-047 S-178]', async () => {
    const holder = new Holder()
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock, localServers: { lab: holder.factory } })
    const { connection } = running
    connection.command([call('hold')])
    await holder.begun.promise
    connection.command([call('quick'), call('quick')], { session_id: 's2', response_id: 'r2' })
    const busy = await connection.next('command_results')
    expect(busy).toMatchObject({
      session_id: 's2',
      prev_response_id: 'r2',
      action_results: Array.from({ length: 2 }, (_, index) => ({
        status: 'failure',
        error: "busy: session 's1' is running on this device",
        call_id: `c${index + 1}`,
      })),
    })
    await clock.advance(120_000)
    await connection.next('heartbeat')
    holder.letGo()
    expect(await connection.next('command_results')).toMatchObject({ session_id: 's1', action_results: [{ result: 'held' }] })
    // The first session has not ended, so the device is still its own.
    expect(await connection.run([call('quick')], { session_id: 's2' })).toMatchObject([{ status: 'failure' }])
    connection.send('task_end', { session_id: 's1', status: 'completed' })
    expect(await connection.run([call('quick')], { session_id: 's2' })).toMatchObject([{ status: 'success' }])
  })

  it('lets a session go that was forgotten for ten minutes', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock })
    await running.connection.run([call('')], { session_id: 's1' })
    await clock.advance(599_000)
    expect(await running.connection.run([call('')], { session_id: 's2' })).toMatchObject([{ status: 'failure' }])
    await clock.advance(1000)
    expect(await running.connection.run([call('')], { session_id: 's2' })).toMatchObject([{ status: 'success' }])
  })

  it('counts the batches of a session right when they overlap', async () => {
    const clock = new ManualClock()
    const holder = new Holder()
    await using running = await online({ config: bare, clock, localServers: { lab: holder.factory } })
    const { connection } = running
    connection.command([call('hold')], { response_id: 'r1' })
    connection.command([call('quick')], { response_id: 'r2' })
    await holder.begun.promise
    await clock.advance(600_000)
    // As long as one runs, the session has the device.
    expect(await connection.run([call('')], { session_id: 's2' })).toMatchObject([{ status: 'failure' }])
    holder.letGo()
    await connection.next('command_results')
    await connection.next('command_results')
    await clock.advance(600_000)
    expect(await connection.run([call('')], { session_id: 's2' })).toMatchObject([{ status: 'success' }])
  })

  it('takes the session of a new task after one that was forgotten', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock })
    const { connection } = running
    await connection.run([call('')], { session_id: 's1' })
    await clock.advance(600_000)
    await running.device.client.startTask('look around')
    connection.send('task_ack', { session_id: 's2' })
    expect(await connection.run([call('')], { session_id: 's2' })).toMatchObject([{ status: 'success' }])
    expect(await connection.run([call('')], { session_id: 's1' })).toMatchObject([
      { status: 'failure', error: "busy: session 's2' is running on this device" },
    ])
  })

  it('runs a batch through executeStep, once, and a batch that it refuses not at all [S-071]', async () => {
    await using running = await online({ config: bare })
    const { ufoClient } = running.device.client
    const steps: unknown[] = []
    const { executeStep } = ufoClient
    ufoClient.executeStep = (step, control) => {
      steps.push(step.actions?.map((action) => action.call_id))
      return executeStep.call(ufoClient, step, control)
    }
    await running.connection.run([call(''), call('')], { session_id: 's1' })
    await running.connection.run([call('')], { session_id: 's2' })
    expect(steps).toEqual([['c1', 'c2']])
  })

  it('answers each command when a step breaks as a whole [S-056]', async () => {
    await using running = await online({ config: bare })
    const { ufoClient } = running.device.client
    const { executeStep } = ufoClient
    ufoClient.executeStep = () => Promise.reject(new Error('step broke'))
    expect(await running.connection.run([call(''), call('')])).toMatchObject([
      { status: 'failure', error: 'step broke', call_id: 'c1' },
      { status: 'failure', error: 'step broke', call_id: 'c2' },
    ])
    ufoClient.executeStep = executeStep
    expect(await running.connection.run([call('')])).toMatchObject([{ status: 'success' }])
  })

  it('answers a result that is not JSON with a failure of that command alone', async () => {
    await using running = await online({ config: bare, localServers: { lab: unspeakable } })
    const results = await running.connection.run([call('circle'), call('')], { response_id: 'r1' })
    expect(results).toMatchObject([
      { status: 'failure', error: expect.stringContaining('The result cannot be sent: '), result: null, call_id: 'c1' },
      { status: 'success', call_id: 'c2' },
    ])
  })

  it('runs the batches of a session one after the other [S-145 S-177]', async () => {
    const holder = new Holder()
    const agreed = { aip: { version: 1, features: ['concurrent'] } }
    await using running = await online({ config: bare, localServers: { lab: holder.factory } }, agreed)
    const { connection } = running
    connection.command([call('hold')], { response_id: 'r1' })
    connection.command([call('quick')], { response_id: 'r2' })
    await holder.begun.promise
    // Each of these takes longer than the second batch would take if it did not wait.
    for (let n = 0; n < 10; n += 1) {
      await connection.run([call('list_tools')], { concurrent: true, session_id: 's2', response_id: `read-${n}` })
    }
    expect(holder.quickRuns).toBe(0)
    holder.letGo()
    expect((await connection.next('command_results'))['prev_response_id']).toBe('r1')
    expect((await connection.next('command_results'))['prev_response_id']).toBe('r2')
  })

  it('cancels the running call and the rest of a session, and still answers each command', async () => {
    const holder = new Holder()
    await using running = await online({ config: bare, localServers: { lab: holder.factory } })
    const { connection } = running
    connection.command([call('hold'), call('quick')], { response_id: 'r1' })
    connection.command([call('quick')], { response_id: 'r2' })
    await holder.begun.promise
    connection.send('cancel', { session_id: 's1', response_id: null, call_id: null, reason: 'user' })
    for (const count of [2, 1]) {
      const { action_results: results } = await connection.next('command_results')
      expect(results).toHaveLength(count)
      for (const result of results as object[]) expect(result).toMatchObject({ status: 'failure', error: 'cancelled' })
    }
    expect(holder).toMatchObject({ cancelled: 1, runs: 1 })
  })

  it('cancels one batch, or one call before it starts', async () => {
    const holder = new Holder()
    await using running = await online({ config: bare, localServers: { lab: holder.factory } })
    const { connection } = running
    connection.command([call('hold'), call('quick')], { response_id: 'r1' })
    connection.command([call('quick')], { response_id: 'r2' })
    await holder.begun.promise
    connection.send('cancel', { session_id: 's1', response_id: 'r1', call_id: 'c2', reason: 'user' })
    connection.send('cancel', { session_id: 's1', response_id: 'r2', call_id: null, reason: 'user' })
    connection.send('cancel', { session_id: 'other', response_id: null, call_id: null, reason: 'user' })
    await running.logger.until('Cancelling in session other')
    holder.letGo()
    expect((await connection.next('command_results'))['action_results']).toMatchObject([
      { status: 'success', result: 'held' },
      { status: 'failure', error: 'cancelled', call_id: 'c2' },
    ])
    expect((await connection.next('command_results'))['action_results']).toMatchObject([
      { status: 'failure', error: 'cancelled' },
    ])
  })

  it('cancels what runs when the connection drops, and serves the next one at once [S-176]', async () => {
    const holder = new Holder()
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock, localServers: { lab: holder.factory } })
    running.connection.command([call('hold')])
    await holder.begun.promise
    const retry = running.logger.until('Retrying')
    running.connection.socket.terminate()
    await retry
    expect(holder.cancelled).toBe(1)
    void clock.advance(2000)
    const next = await running.server.connection()
    await next.accept()
    expect(await next.run([call('quick')], { session_id: 's2' })).toMatchObject([{ status: 'success' }])
  })

  it('gives a tool 6000 s and not more [S-012]', async () => {
    const holder = new Holder()
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock, localServers: { lab: holder.factory } })
    running.connection.command([call('hold'), call('quick')])
    await holder.begun.promise
    await clock.advance(5_999_000)
    expect(running.connection.frames.some((frame) => frame['type'] === 'command_results')).toBe(false)
    await clock.advance(1000)
    expect((await running.connection.next('command_results'))['action_results']).toMatchObject([
      { status: 'failure', error: 'Tool hold execution timed out after 6000s' },
      { status: 'skipped' },
    ])
    expect(holder.cancelled).toBe(1)
  })

  it('refuses a batch of more than 1000 commands, one failure each', async () => {
    await using running = await online({ config: bare })
    const results = await running.connection.run(Array.from({ length: 1001 }, () => call('')))
    expect(results).toHaveLength(1001)
    expect(results.at(-1)).toMatchObject({ status: 'failure', error: 'A batch may hold at most 1000 commands', call_id: 'c1001' })
  })
})
