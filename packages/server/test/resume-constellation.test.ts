import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

/** A constellation that can come back. @returns it, and what the server answered to its offer */
async function constellation(url: string, token?: string): Promise<{ client: WireClient; aip: Json; token: string }> {
  const client = await WireClient.connect(url, OPERATOR_KEY)
  const offer = { version: 1, features: ['resume'], ...(token === undefined ? {} : { resume_token: token }) }
  client.send({ type: 'register', client_id: 'c1', client_type: 'constellation', metadata: { aip: offer } })
  const reply = await client.next()
  if (reply['status'] !== 'ok') throw new Error(String(reply['error']))
  const { aip } = reply['result'] as { aip: Json }
  return { client, aip, token: String(aip['resume_token']) }
}

const TASK: Json = {
  type: 'task',
  client_type: 'constellation',
  target_id: 'd1',
  request: 'run one',
  session_id: 's1',
  request_id: 'r1',
}

const END: Json = { type: 'task_end', client_type: 'constellation', session_id: 's1' }

async function device(url: string): Promise<WireClient> {
  return WireClient.register(url, DEVICE_KEY, { client_id: 'd1' })
}

async function gone(server: TestServer, id: string): Promise<void> {
  await vi.waitFor(async () => {
    expect((await server.api('/api/clients')).body['online_clients']).not.toContain(id)
  })
}

describe('a constellation with the feature resume that drops', () => {
  it('finds its session running when it is back with its token, and gets the end', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server.url)
    const before = await constellation(server.url)
    before.client.send(TASK)
    const command = await d1.next()
    before.client.terminate()
    await gone(server, 'c1')
    const { client, aip } = await constellation(server.url, before.token)
    expect(aip['session_ids']).toEqual(['s1'])
    d1.answer(command, 'done')
    expect(await client.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'completed' })
  })

  it('gets what ended while it was away, each time, until it acknowledges', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server.url)
    let { client, token } = await constellation(server.url)
    client.send(TASK)
    const command = await d1.next()
    client.terminate()
    await gone(server, 'c1')
    d1.answer(command, 'done')
    await server.events('s1')
    for (const acknowledge of [false, true]) {
      const back = await constellation(server.url, token)
      ;({ client, token } = back)
      expect(back.aip['session_ids']).toEqual(['s1'])
      const end = await client.next()
      expect(end).toMatchObject({ type: 'task_end', status: 'completed', result: [{ request: 'run one', result: ['done'] }] })
      if (acknowledge) client.send(END)
      client.send({ type: 'heartbeat' })
      expect(await client.next()).toMatchObject({ type: 'heartbeat' })
      client.terminate()
      await gone(server, 'c1')
    }
    const back = await constellation(server.url, token)
    expect(back.aip['session_ids']).toEqual([])
    back.client.send({ type: 'heartbeat' })
    expect(await back.client.next()).toMatchObject({ type: 'heartbeat' })
  })

  it('does not run a task twice that it sends again because it missed the answer', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server.url)
    const before = await constellation(server.url)
    before.client.send(TASK)
    const command = await d1.next()
    before.client.terminate()
    await gone(server, 'c1')
    d1.answer(command, 'done')
    await server.events('s1')
    const { client } = await constellation(server.url, before.token)
    client.send(TASK)
    const frames = [await client.next(), await client.next(), await client.next()]
    expect(frames.map(({ type }) => type)).toEqual(['task_end', 'heartbeat', 'task_end'])
    expect((await server.api('/api/sessions')).body['sessions']).toHaveLength(1)
  })

  it('keeps its sessions and its id from another that has not its token, for as long as one is live', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server.url)
    const before = await constellation(server.url)
    before.client.send(TASK)
    await d1.next()
    before.client.terminate()
    await gone(server, 'c1')
    await expect(constellation(server.url, 'stolen')).rejects.toThrow(/another constellation.*have not ended/)
    const { client, aip } = await constellation(server.url, before.token)
    expect(aip['session_ids']).toEqual(['s1'])
    await server.api('/api/sessions/s1/cancel', {})
    expect(await client.next()).toMatchObject({ type: 'task_end', session_id: 's1' })
  })

  it('does not get the stored ends of an earlier constellation of its id, now or later', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await device(server.url)
    const before = await constellation(server.url)
    before.client.send({ ...TASK, request: 'nothing' })
    // The acknowledgement of the task, and its end, which is not acknowledged.
    await before.client.next()
    expect(await before.client.next()).toMatchObject({ type: 'task_end', session_id: 's1' })
    before.client.terminate()
    await gone(server, 'c1')
    const other = await constellation(server.url, 'stolen')
    expect(other.aip['session_ids']).toEqual([])
    expect(await other.client.nextWithin(50)).toBeNull()
    other.client.terminate()
    await gone(server, 'c1')
    const again = await constellation(server.url, other.token)
    expect(again.aip['session_ids']).toEqual([])
    expect(await again.client.nextWithin(50)).toBeNull()
  })

  it('loses its sessions when the grace time is over', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], clock })
    const d1 = await device(server.url)
    const before = await constellation(server.url)
    before.client.send(TASK)
    await d1.next()
    before.client.terminate()
    await gone(server, 'c1')
    await clock.advance(LIMITS.resumeGrace - 1)
    expect((await server.api('/api/sessions/s1')).body).toMatchObject({ status: 'running' })
    await clock.advance(1)
    expect((await server.events('s1')).at(-1)).toMatchObject({ type: 'ended', data: { status: 'cancelled' } })
  })
})

describe('a constellation with the feature resume whose server restarts', () => {
  let dataDir: string
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'orrery-'))
  })
  afterEach(() => rmSync(dataDir, { recursive: true }))

  it('learns how its session continued', async () => {
    const clock = new ManualClock()
    const first = await startTestServer({ agents: [scriptedAgent], dataDir, clock })
    const d1 = await device(first.url)
    const before = await constellation(first.url)
    before.client.send(TASK)
    await d1.next()
    const stopped = first.server.stop()
    await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.drainTime))
    await clock.advance(LIMITS.drainTime)
    await stopped
    await using server = await startTestServer({ agents: [scriptedAgent], dataDir })
    const { client, aip } = await constellation(server.url, before.token)
    expect(aip['session_ids']).toEqual(['s1'])
    await device(server.url)
    expect(await client.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'completed' })
  })

  it('loses its session when it does not come back within the grace time, though its device does', async () => {
    const before = new ManualClock()
    const first = await startTestServer({ agents: [scriptedAgent], dataDir, clock: before })
    await device(first.url)
    const { client } = await constellation(first.url)
    client.send({ ...TASK, request: 'hang' })
    await client.next()
    const stopped = first.server.stop()
    await vi.waitFor(() => expect(before.waits).toContain(LIMITS.drainTime))
    await before.advance(LIMITS.drainTime)
    await stopped
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], dataDir, clock })
    await device(server.url)
    await clock.advance(LIMITS.resumeGrace - 1)
    expect((await server.api('/api/sessions/s1')).body).toMatchObject({ status: 'running' })
    await clock.advance(1)
    expect((await server.events('s1')).at(-1)).toMatchObject({ type: 'ended', data: { status: 'cancelled' } })
  })

  it('gets the end that it had not acknowledged', async () => {
    const first = await startTestServer({ agents: [scriptedAgent], dataDir })
    const d1 = await device(first.url)
    const before = await constellation(first.url)
    before.client.send(TASK)
    d1.answer(await d1.next(), 'done')
    await first.events('s1')
    await first.server.stop()
    await using server = await startTestServer({ agents: [scriptedAgent], dataDir })
    const { client } = await constellation(server.url, before.token)
    expect(await client.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'completed' })
  })
})

describe('a client that registers', () => {
  it('gets its confirmation before anything else, though a command waits for it', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const client = await WireClient.connect(server.url, DEVICE_KEY)
    const aip = { version: 1, features: ['journal', 'resume'] }
    client.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
    // As soon as the device is on the list it gets work.
    await vi.waitFor(
      async () => expect((await server.api('/api/sessions', { device_id: 'd1', request: 'run one' })).status).toBe(201),
      { interval: 0 },
    )
    expect(await client.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
    expect(await client.next()).toMatchObject({ type: 'command' })
  })
})
