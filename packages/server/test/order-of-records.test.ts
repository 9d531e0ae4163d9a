import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import type { Agent } from '@orrery/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { holdRecords } from '../../../test/support/held-records.js'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'
import { serverError } from '../src/errors.js'

const CAPABLE = { platform: 'linux', aip: { version: 1, features: ['journal', 'resume', 'cancel'] } }

function taskOf(sessionId: string): Json {
  const ids = { session_id: sessionId, request_id: sessionId, target_id: 'd1' }
  return { type: 'task', client_type: 'constellation', request: 'run one', ...ids }
}

async function startTrio(agents: Agent[] = [scriptedAgent]) {
  const server = await startTestServer({ agents })
  const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata: CAPABLE })
  const requester = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
  return { server, device, requester }
}

/**
 * Shows that nothing else has been sent to a client: the next things that it gets are the answers to its heartbeats. The second is asked
 * for when all that came before the first has been handled.
 */
async function hasNothing(client: WireClient, type: 'device' | 'constellation'): Promise<void> {
  for (let beat = 0; beat < 2; beat += 1) {
    client.send({ type: 'heartbeat', client_type: type })
    expect(await client.next()).toMatchObject({ type: 'heartbeat', session_id: null })
  }
}

/** Registers a device that can resume. @returns it, and its token */
async function capable(url: string, token?: string): Promise<{ device: WireClient; token: string }> {
  const device = await WireClient.connect(url, DEVICE_KEY)
  const aip = { ...CAPABLE.aip, ...(token === undefined ? {} : { resume_token: token }) }
  device.send({ type: 'register', client_id: 'd1', metadata: { ...CAPABLE, aip } })
  const { result } = (await device.next()) as { result: { aip: { resume_token: string } } }
  return { device, token: result.aip.resume_token }
}

describe('a task', () => {
  it('is recorded before it is acknowledged, also when it comes again meanwhile, and runs once', async () => {
    using accepted = holdRecords('accepted')
    const { server, device, requester } = await startTrio()
    await using _ = server
    requester.send(taskOf('s1'))
    await accepted.reached
    requester.send(taskOf('s1'))
    const answered = vi.fn<() => void>()
    const overHttp = server.api('/api/sessions', { device_id: 'd1', request: 'run two' }).finally(answered)
    await hasNothing(requester, 'constellation')
    await hasNothing(device, 'device')
    await server.api('/api/devices')
    expect(answered).not.toHaveBeenCalled()
    accepted.release()
    for (let time = 0; time < 2; time += 1) expect(await requester.next()).toMatchObject({ type: 'heartbeat', session_id: 's1' })
    const { status, body } = await overHttp
    expect(status).toBe(201)
    const commanded: unknown[] = []
    for (let ends = 0; ends < 2;) {
      const frame = await device.next()
      if (frame['type'] === 'task_end') ends += 1
      if (frame['type'] !== 'command') continue
      commanded.push(frame['session_id'])
      device.answer(frame)
    }
    await hasNothing(device, 'device')
    expect(new Set(commanded)).toEqual(new Set(['s1', body['session_id']]))
    expect(commanded).toHaveLength(2)
    expect(await requester.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'completed' })
    await hasNothing(requester, 'constellation')
    expect((await server.api('/api/sessions')).body['sessions']).toHaveLength(2)
  })

  it('that cannot be recorded is refused each time that it came', async () => {
    using accepted = holdRecords('accepted')
    const { server, device, requester } = await startTrio()
    await using _ = server
    requester.send(taskOf('s1'))
    await accepted.reached
    requester.send(taskOf('s1'))
    await hasNothing(requester, 'constellation')
    accepted.release(serverError('STORE_FAILED', { detail: 'no room' }))
    const refused = { error: expect.stringContaining('no room') }
    for (let time = 0; time < 2; time += 1) {
      expect(await requester.next()).toMatchObject({ type: 'error', ...refused })
      expect(await requester.next()).toMatchObject({ type: 'task_end', ...refused })
    }
    await hasNothing(device, 'device')
  })
})

describe('a batch', () => {
  it('is recorded before it leaves', async () => {
    using sent = holdRecords('commands_sent')
    const { server, device, requester } = await startTrio()
    await using _ = server
    requester.send(taskOf('s1'))
    await sent.reached
    await hasNothing(device, 'device')
    sent.release()
    expect(await device.next()).toMatchObject({ type: 'command', session_id: 's1' })
  })
})

describe('results', () => {
  it('are recorded before they are acknowledged and given to the agent, also when they come twice meanwhile', async () => {
    const given = vi.fn<() => void>()
    const agent: Agent = {
      name: 'watched',
      accepts: () => true,
      async run({ execute }) {
        await execute([{ tool_name: 'one', parameters: {}, tool_type: 'action' }])
        given()
        return { status: 'completed', result: null }
      },
    }
    using received = holdRecords('results_received')
    const { server, device, requester } = await startTrio([agent])
    await using _ = server
    requester.send(taskOf('s1'))
    const command = await device.next()
    device.answer(command, 'first')
    await received.reached
    device.answer(command, 'second')
    await hasNothing(device, 'device')
    expect(given).not.toHaveBeenCalled()
    received.release()
    const frames = [await device.next(), await device.next(), await device.next()].map(({ type }) => type)
    expect(frames.filter((type) => type === 'results_ack')).toHaveLength(2)
    expect(frames).toContain('task_end')
    const recorded = (await server.events('s1')).find(({ type }) => type === 'results_received')
    expect(recorded).toMatchObject({ data: { results: [{ result: 'first' }] } })
  })
})

describe('results that come again', () => {
  it('while a later batch runs are dropped: the first are recorded, once', async () => {
    const agent: Agent = {
      name: 'two batches',
      accepts: () => true,
      async run({ execute }) {
        const [one] = await execute([{ tool_name: 'one', parameters: {}, tool_type: 'action' }])
        const [two] = await execute([{ tool_name: 'two', parameters: {}, tool_type: 'action' }])
        return { status: 'completed', result: [one?.result, two?.result] }
      },
    }
    const { server, device, requester } = await startTrio([agent])
    await using _ = server
    requester.send(taskOf('s1'))
    const command = await device.next()
    device.answer(command, 'first')
    const frames = [await device.next(), await device.next()]
    const next = frames.find(({ type }) => type === 'command')
    device.answer(command, 'again')
    expect(await device.next()).toMatchObject({ type: 'results_ack', response_id: command['response_id'] })
    device.answer(next ?? {}, 'second')
    const events = await server.events('s1')
    expect(events.filter(({ type }) => type === 'results_received')).toHaveLength(2)
    expect(events.at(-1)).toMatchObject({ data: { result: ['first', 'second'] } })
  })
})

describe('the end of a session', () => {
  it('is recorded before any client learns of it, and before the next session has the device', async () => {
    using ended = holdRecords('ended')
    const { server, device, requester } = await startTrio()
    await using _ = server
    requester.send(taskOf('s1'))
    requester.send(taskOf('s2'))
    device.answer(await device.next())
    await ended.reached
    expect(await device.next()).toMatchObject({ type: 'results_ack' })
    for (const id of ['s1', 's2']) expect(await requester.next()).toMatchObject({ type: 'heartbeat', session_id: id })
    await hasNothing(requester, 'constellation')
    await hasNothing(device, 'device')
    expect((await server.api('/api/sessions/s1')).body).toMatchObject({ status: 'running', ended_at: null })
    ended.release()
    expect(await requester.next()).toMatchObject({ type: 'task_end', session_id: 's1' })
    expect(await device.next()).toMatchObject({ type: 'task_end', session_id: 's1' })
    expect(await device.next()).toMatchObject({ type: 'command', session_id: 's2' })
  })
})

describe('a restart of the server', () => {
  let dataDir: string
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'orrery-'))
  })
  afterEach(() => rmSync(dataDir, { recursive: true }))

  it('gives an agent nothing that came before it asked again, until that is recorded', async () => {
    let gate = Promise.resolve()
    const given = vi.fn<(result: unknown) => void>()
    const agent: Agent = {
      name: 'gated',
      accepts: () => true,
      async run({ execute }) {
        await gate
        const [result] = await execute([{ tool_name: 'one', parameters: {}, tool_type: 'action' }])
        given(result?.result)
        return { status: 'completed', result: null }
      },
    }
    const clock = new ManualClock()
    const first = await startTestServer({ agents: [agent], dataDir, clock })
    const before = await capable(first.url)
    const { session_id: id } = (await first.api('/api/sessions', { device_id: 'd1', request: 'go' })).body
    const command = await before.device.next()
    const stopped = first.server.stop()
    await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.drainTime))
    await clock.advance(LIMITS.drainTime)
    await stopped
    const asked = Promise.withResolvers<void>()
    gate = asked.promise
    await using server = await startTestServer({ agents: [agent], dataDir })
    using received = holdRecords('results_received')
    const { device } = await capable(server.url, before.token)
    device.answer(command, 'early')
    await received.reached
    asked.resolve()
    await hasNothing(device, 'device')
    expect(given).not.toHaveBeenCalled()
    received.release()
    await server.events(String(id))
    expect(given.mock.calls).toEqual([['early']])
  })

  it(
    'keeps the session that ran on a device and the 100 that waited, in order, and admits no more',
    { timeout: 60_000 },
    async () => {
      const clock = new ManualClock()
      const first = await startTestServer({ agents: [scriptedAgent], dataDir, clock })
      const before = await capable(first.url)
      const ask = { device_id: 'd1', request: 'run one' }
      const ids: unknown[] = []
      for (let index = 0; index <= LIMITS.waitingSessions; index += 1) {
        ids.push((await first.api('/api/sessions', ask)).body['session_id'])
      }
      await before.device.next()
      const stopped = first.server.stop()
      await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.drainTime))
      await clock.advance(LIMITS.drainTime)
      await stopped
      await using server = await startTestServer({ agents: [scriptedAgent], dataDir })
      const { device } = await capable(server.url, before.token)
      const done: unknown[] = []
      while (done.length < ids.length) {
        const frame = await device.next()
        if (frame['type'] !== 'command') continue
        if (done.length === 0) expect((await server.api('/api/sessions', ask)).status).toBe(503)
        done.push(frame['session_id'])
        device.answer(frame)
      }
      expect(done).toEqual(ids)
    },
  )
})
