import { describe, expect, it, vi } from 'vitest'
import { WorkflowLibrary } from '../src/agents/workflow/workflow-library.js'
import { SqliteSessionStore } from '../src/store/sqlite-session-store.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'
import { stuckSessions } from '../../../test/support/stuck-sessions.js'
import { HandlerRig, type RigClient } from './support/handler-rig.js'

const FEATURES = ['journal', 'resume', 'cancel', 'progress']

/** Registers a device that can resume. @returns it, and the token for the next time */
async function capableDevice(rig: HandlerRig, token?: string): Promise<{ device: RigClient; token: string }> {
  const device = rig.connect()
  const aip = { version: 1, features: FEATURES, ...(token === undefined ? {} : { resume_token: token }) }
  await device.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
  const { result } = await device.next()
  return { device, token: String((result as { aip: Json }).aip['resume_token']) }
}

/** Holds back what a method of a prototype does, until released. */
function held<K extends string>(
  prototype: Record<K, (...values: never[]) => unknown>,
  method: K,
): { reached: Promise<void>; release: () => void } {
  const original = prototype[method]
  const reached = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const spy = vi.spyOn(prototype, method as never).mockImplementationOnce(async function waiting(
    this: unknown,
    ...values: never[]
  ) {
    reached.resolve()
    await gate.promise
    return original.apply(this as never, values)
  } as never)
  return {
    reached: reached.promise,
    release: () => {
      spy.mockRestore()
      gate.resolve()
    },
  }
}

const TASK = { type: 'task', session_id: 's1', request: 'run one' }

describe('a device that drops while its task is taken', () => {
  it.each([
    ['reads its workflow', WorkflowLibrary.prototype, 'workOf'],
    ['takes the lane of the device', SqliteSessionStore.prototype, 'takeLane'],
    ['records the task', SqliteSessionStore.prototype, 'append'],
  ] as const)(
    'is awaited, and gets its commands when it is back, if it drops while the server %s',
    async (_when, prototype, method) => {
      await using rig = new HandlerRig()
      const first = await capableDevice(rig)
      const hold = held(prototype as never, method)
      await first.device.send(TASK)
      await hold.reached
      first.device.transport.terminate()
      await first.device.served
      hold.release()
      await vi.waitFor(() => expect(rig.sessions.live.get('s1')).toBeDefined())
      await new Promise((resolve) => setImmediate(resolve))
      expect(stuckSessions(rig.sessions)).toEqual([])
      const { device } = await capableDevice(rig, first.token)
      const command = await device.next()
      expect(command).toMatchObject({ type: 'command', session_id: 's1' })
      await device.send({
        type: 'command_results',
        session_id: 's1',
        prev_response_id: command['response_id'],
        action_results: [{ status: 'success', result: 'done' }],
      })
      await vi.waitFor(() => expect(rig.sessions.live.get('s1')).toBeUndefined())
    },
  )

  it('ends its session if it cannot resume', async () => {
    await using rig = new HandlerRig()
    const device = await rig.register({ client_id: 'd1' })
    const hold = held(SqliteSessionStore.prototype as never, 'takeLane')
    await device.send({ ...TASK, request: 'hang' })
    await hold.reached
    device.transport.terminate()
    await device.served
    hold.release()
    await vi.waitFor(async () => expect(await rig.store.summaries({ sessionId: 's1' })).toMatchObject([{ status: 'failed' }]))
  })
})

describe('a constellation that drops while its task is taken', () => {
  it('is treated as any that drops: its session ends', async () => {
    await using rig = new HandlerRig()
    await rig.register({ client_id: 'd1' })
    const constellation = await rig.register({ client_id: 'c1', client_type: 'constellation' })
    const hold = held(SqliteSessionStore.prototype as never, 'takeLane')
    await constellation.send({ ...TASK, client_type: 'constellation', target_id: 'd1', request: 'hang' })
    await hold.reached
    constellation.transport.terminate()
    await constellation.served
    hold.release()
    await vi.waitFor(async () => expect(await rig.store.summaries({ sessionId: 's1' })).toMatchObject([{ status: 'cancelled' }]))
  })
})

describe('a device that is lost before its registration is confirmed', () => {
  it('is away like any other: what was sent to it then is sent again', async () => {
    await using rig = new HandlerRig()
    const first = await capableDevice(rig)
    first.device.transport.terminate()
    await first.device.served
    const lost = rig.connect()
    const started = Promise.withResolvers<void>()
    lost.faults.beforeSend = () => {
      lost.faults.beforeSend = () => {
        throw new Error('the connection is dead')
      }
      // The device counts as online from here on, and the session starts.
      void rig.sessions
        .executeTask({
          sessionId: 's1',
          taskName: 't1',
          deviceId: 'd1',
          owner: { kind: 'operator', client_id: null, resumes: false },
          requestId: null,
          work: { kind: 'words', request: 'run one' },
          assigned: false,
        })
        .then(({ session }) => {
          rig.sessions.start(session)
          started.resolve()
        })
      throw new Error('the connection is dead')
    }
    const aip = { version: 1, features: FEATURES, resume_token: first.token }
    await lost.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
    await lost.served
    await started.promise
    expect(stuckSessions(rig.sessions)).toEqual([])
    const { device } = await capableDevice(rig, first.token)
    expect(await device.next()).toMatchObject({ type: 'command', session_id: 's1' })
  })
})

describe('a batch that cannot be sent to a device that can resume', () => {
  it('fails at once if it is too large, although the device may return', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.connect(server.url, DEVICE_KEY)
    device.send({ type: 'register', client_id: 'd1', metadata: { aip: { version: 1, features: FEATURES, max_frame: 100_000 } } })
    await device.next()
    const body = { commands: [{ tool_name: 'echo', parameters: { text: 'x'.repeat(200_000) } }] }
    const { body: run } = await server.api('/api/devices/d1/commands', body)
    expect(run).toMatchObject({
      status: 'failed',
      results: [{ status: 'failure', error: expect.stringContaining('100000') as string }],
    })
  })
})

describe('a device whose connection was replaced before anybody saw it end', () => {
  it('gets the batch that went over the old connection once more, and not the one that went over the new', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const register = async (token?: string): Promise<{ device: WireClient; token: string }> => {
      const device = await WireClient.connect(server.url, DEVICE_KEY)
      const aip = { version: 1, features: FEATURES, ...(token === undefined ? {} : { resume_token: token }) }
      device.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
      const { result } = await device.next()
      return { device, token: String((result as { aip: Json }).aip['resume_token']) }
    }
    const first = await register()
    await server.api('/api/sessions', { device_id: 'd1', request: 'run one' })
    const sent = await first.device.next()
    const second = await register(first.token)
    expect(await second.device.next()).toMatchObject({ response_id: sent['response_id'] })
    expect(await second.device.nextWithin(100)).toBeNull()
  })
})

describe('two tasks of one session id at once', () => {
  it('are one run, and the second is acknowledged when the first is recorded', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const register = (fields: Json): Promise<WireClient> => WireClient.register(server.url, OPERATOR_KEY, fields)
    const device = await register({ client_id: 'd1' })
    const task = { ...TASK, request_id: 'r1' }
    device.send(task)
    device.send(task)
    expect(await device.next()).toMatchObject({ type: 'heartbeat', session_id: 's1' })
    const rest = [await device.next(), await device.next()].map(({ type }) => type)
    expect(rest.toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual(['command', 'heartbeat'])
    expect(await device.nextWithin(50)).toBeNull()
  })
})
