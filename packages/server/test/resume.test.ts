import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { RecordLog } from '@orrery/log'
import type { Agent } from '@orrery/server'
import { SESSION_LABELS } from '../src/store/session-labels.js'
import { SqliteSessionStore } from '../src/store/sqlite-session-store.js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { startCuttingProxy } from '../../../test/support/cutting-proxy.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const FEATURES = ['journal', 'resume', 'cancel', 'progress']

/** A device that keeps a journal, as far as the wire shows it. @returns it and its new token */
async function capableDevice(url: string, token?: string): Promise<{ device: WireClient; token: string; sessionId: unknown }> {
  const device = await WireClient.connect(url, DEVICE_KEY)
  const aip = { version: 1, features: FEATURES, ...(token === undefined ? {} : { resume_token: token }) }
  device.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
  const reply = await device.next()
  if (reply['status'] !== 'ok') throw new Error(String(reply['error']))
  const { aip: agreed } = reply['result'] as { aip: Json }
  return { device, token: String(agreed['resume_token']), sessionId: agreed['session_id'] }
}

async function begin(server: TestServer, request: string): Promise<string> {
  return String((await server.api('/api/sessions', { device_id: 'd1', request })).body['session_id'])
}

const typesOf = (events: Json[]): unknown[] => events.map((event) => event['type'])

describe('negotiation', () => {
  it('gives a fresh token at each registration, and nothing to a client that offers nothing', async () => {
    await using server = await startTestServer()
    const first = await capableDevice(server.url)
    first.device.close()
    await first.device.nextClose()
    const second = await capableDevice(server.url, first.token)
    expect(second.token).toMatch(/^ort_[\w-]{43}$/)
    expect(second.token).not.toBe(first.token)
    const plain = await WireClient.connect(server.url, DEVICE_KEY)
    plain.send({ type: 'register', client_id: 'plain' })
    expect(await plain.next()).toMatchObject({ status: 'ok', result: null })
  })
})

describe('the token of a device', () => {
  it('is good until the device has shown the next one, whose way to it may be lost', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const first = await capableDevice(server.url)
    const id = await begin(server, 'run one')
    await first.device.next()
    first.device.terminate()
    // This confirmation never arrives, as far as the device is concerned.
    const lost = await capableDevice(server.url, first.token)
    lost.device.terminate()
    const third = await capableDevice(server.url, first.token)
    third.device.answer(await third.device.next())
    expect((await server.events(id)).at(-1)).toMatchObject({ data: { status: 'completed' } })
    third.device.terminate()
    const fourth = await capableDevice(server.url, third.token)
    const next = await begin(server, 'run two')
    await fourth.device.next()
    fourth.device.terminate()
    await expect(capableDevice(server.url, first.token)).rejects.toThrow(/only its resume token allows/)
    const fifth = await capableDevice(server.url, third.token)
    fifth.device.answer(await fifth.device.next())
    expect((await server.events(next)).at(-1)).toMatchObject({ data: { status: 'completed' } })
  })
})

describe('the silence after which a connection is dead', () => {
  it('is a setting of the server, which tells the device', async () => {
    await using server = await startTestServer({ resumeSilenceMs: 1500 })
    const device = await WireClient.connect(server.url, DEVICE_KEY)
    device.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip: { version: 1, features: FEATURES } } })
    expect(await device.next()).toMatchObject({ result: { aip: { heartbeat_ms: 1500 } } })
  })
})

describe('a device whose large results take longer than that', () => {
  it('stays online while they come', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws?token=${DEVICE_KEY}`, { autoPong: false })
    await once(socket, 'open')
    const aip = { version: 1, features: FEATURES }
    const confirmed = once(socket, 'message')
    socket.send(JSON.stringify({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } }))
    await confirmed
    for (let part = 0; part < 10; part += 1) {
      socket.send(' ', { fin: false })
      // The answer shows that the part has arrived.
      const arrived = once(socket, 'pong')
      socket.ping()
      await arrived
      await clock.advance(LIMITS.resumeSilence * 0.7)
    }
    expect((await server.api('/api/clients')).body).toEqual({ online_clients: ['d1'] })
    const closed = once(socket, 'close')
    await clock.advance(LIMITS.resumeSilence * 2)
    await closed
  })
})

describe('a session whose device drops', () => {
  it('pauses, and continues with the same batch when the device is back; results are acknowledged', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const before = await capableDevice(server.url)
    const id = await begin(server, 'run one two')
    const command = await before.device.next()
    before.device.terminate()
    await vi.waitFor(async () => expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'paused' }))
    const { device } = await capableDevice(server.url, before.token)
    const again = await device.next()
    expect({ ...again, timestamp: null }).toEqual({ ...command, timestamp: null })
    device.answer(again, 'done')
    const frames = [await device.next(), await device.next()]
    expect(frames.find((frame) => frame['type'] === 'results_ack')).toMatchObject({ response_id: command['response_id'] })
    expect(frames.find((frame) => frame['type'] === 'task_end')).toMatchObject({ status: 'completed' })
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({
      status: 'completed',
      result: ['done', 'done'],
      steps: 1,
    })
    expect(typesOf(await server.events(id))).toEqual([
      'accepted',
      'commands_sent',
      'paused',
      'resumed',
      'results_received',
      'ended',
    ])
  })

  it('takes results that the device sends before it is asked again, and drops the second ones', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const before = await capableDevice(server.url)
    const id = await begin(server, 'run one')
    const command = await before.device.next()
    before.device.terminate()
    await vi.waitFor(async () => expect((await server.api('/api/clients')).body).toEqual({ online_clients: [] }))
    const { device } = await capableDevice(server.url, before.token)
    device.answer(command, 'first')
    device.answer(command, 'second')
    const seen: Json[] = []
    while (seen.filter((frame) => frame['type'] === 'results_ack').length < 2) seen.push(await device.next())
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed', result: ['first'] })
  })

  it('waits on when another device tries to register under the id without the token', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const { device, token } = await capableDevice(server.url)
    const id = await begin(server, 'run one')
    await device.next()
    device.terminate()
    await vi.waitFor(async () => expect((await server.api('/api/clients')).body).toEqual({ online_clients: [] }))
    await expect(capableDevice(server.url, 'stolen')).rejects.toThrow(/only its resume token allows/)
    const back = await capableDevice(server.url, token)
    back.device.answer(await back.device.next())
    expect((await server.events(id)).at(-1)).toMatchObject({ data: { status: 'completed' } })
  })

  it('fails when the grace time is over, with those that wait behind it', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], clock })
    const { device } = await capableDevice(server.url)
    const ids = [await begin(server, 'run one'), await begin(server, 'run two')]
    await device.next()
    device.terminate()
    await vi.waitFor(async () => expect((await server.api('/api/clients')).body).toEqual({ online_clients: [] }))
    await clock.advance(LIMITS.resumeGrace - 1)
    expect((await server.api(`/api/sessions/${String(ids[0])}`)).body).toMatchObject({ status: 'paused' })
    await clock.advance(1)
    for (const id of ids) expect((await server.events(id)).at(-1)).toMatchObject({ type: 'ended', data: { status: 'failed' } })
  })

  it('sends a command that comes up meanwhile when the device is back', async () => {
    const thinking = Promise.withResolvers<void>()
    const agent: Agent = {
      name: 'thinking',
      accepts: (work) => work.kind === 'words',
      async run(context) {
        await thinking.promise
        const [result] = await context.execute([{ tool_name: 'one', parameters: {}, tool_type: 'action' }])
        return { status: 'completed', result: result?.result }
      },
    }
    await using server = await startTestServer({ agents: [agent] })
    const { device, token } = await capableDevice(server.url)
    const id = await begin(server, 'go')
    device.terminate()
    await vi.waitFor(async () => expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'paused' }))
    thinking.resolve()
    await vi.waitFor(async () => expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ steps: 1 }))
    const back = await capableDevice(server.url, token)
    back.device.answer(await back.device.next(), 'later')
    await server.events(id)
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed', result: 'later' })
  })

  it('can be cancelled meanwhile', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const { device, token } = await capableDevice(server.url)
    const id = await begin(server, 'run one')
    await device.next()
    device.terminate()
    await vi.waitFor(async () => expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'paused' }))
    await server.api(`/api/sessions/${id}/cancel`, {})
    expect((await server.events(id)).at(-1)).toMatchObject({ data: { status: 'cancelled' } })
    const back = await capableDevice(server.url, token)
    back.device.send({ type: 'heartbeat' })
    expect(await back.device.next()).toMatchObject({ type: 'heartbeat' })
  })
})

describe('a session whose end cannot be recorded', () => {
  it('has not ended, and is not reported as ended, until it can', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [scriptedAgent], clock })
    const { device } = await capableDevice(server.url)
    const { append } = SqliteSessionStore.prototype
    let full = true
    using _ = vi.spyOn(SqliteSessionStore.prototype, 'append').mockImplementation(function limited(
      this: SqliteSessionStore,
      ...record
    ) {
      if (full && record[2] === 'ended') return Promise.reject(new Error('no room'))
      return append.apply(this, record)
    })
    const id = await begin(server, 'run one')
    device.answer(await device.next())
    expect(await device.next()).toMatchObject({ type: 'results_ack' })
    await vi.waitFor(() => expect(server.log.lines.join()).toContain('ended as completed, but this cannot be recorded: no room'))
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'running', ended_at: null })
    // A pause in this moment is not recorded, or it would come after the end.
    server.server.onSessionEvent(({ type }) => expect(type).toBe('ended'))
    device.terminate()
    await vi.waitFor(async () => expect((await server.api('/api/clients')).body).toEqual({ online_clients: [] }))
    full = false
    await clock.advance(LIMITS.recordRetry)
    expect((await server.events(id)).at(-1)).toMatchObject({ type: 'ended', data: { status: 'completed' } })
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed' })
  })
})

describe('an id that is online', () => {
  it('is free for the next connection when a registration is lost on its way', async () => {
    await using server = await startTestServer()
    const { device, token } = await capableDevice(server.url)
    device.terminate()
    for (let turn = 0; turn < 5; turn += 1) {
      const lost = await WireClient.connect(server.url, DEVICE_KEY)
      const next = await WireClient.connect(server.url, DEVICE_KEY)
      const aip = { version: 1, features: FEATURES, resume_token: token }
      for (const client of [lost, next]) client.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
      lost.terminate()
      expect(await next.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
      next.terminate()
    }
  })

  it('is taken over at once with the token; the session continues', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const old = await capableDevice(server.url)
    const id = await begin(server, 'run one')
    const command = await old.device.next()
    const { device } = await capableDevice(server.url, old.token)
    expect((await old.device.nextClose()).code).toBe(1006)
    expect(await device.next()).toMatchObject({ type: 'command', response_id: command['response_id'] })
    device.answer(command)
    await server.events(id)
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed' })
  })

  it('stays with a connection that lives, and is given away when that is half open', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    await using proxy = await startCuttingProxy(server.url)
    await WireClient.register(proxy.url, DEVICE_KEY, { client_id: 'd1' })
    const refused = await WireClient.connect(server.url, DEVICE_KEY)
    refused.send({ type: 'register', client_id: 'd1' })
    expect(await refused.next()).toMatchObject({ type: 'error' })
    proxy.swallow()
    const waiting = await WireClient.connect(server.url, DEVICE_KEY)
    waiting.send({ type: 'register', client_id: 'd1' })
    await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.probeTime))
    await clock.advance(LIMITS.probeTime)
    expect(await waiting.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
  })
})

describe('a restart of the server', () => {
  it('ends a session whose records it cannot read, and says why', async () => {
    {
      await using server = await startTestServer({ agents: [scriptedAgent], dataDir })
      await capableDevice(server.url)
    }
    const log = RecordLog.open(join(dataDir, 'events.db'), { labels: SESSION_LABELS })
    await log.append(
      'r1',
      'accepted',
      { of: 'another version' },
      { labels: { session_id: 's1', device_id: 'd1', task_name: 't' } },
    )
    await log.close()
    {
      await using server = await startTestServer({ agents: [scriptedAgent], dataDir })
      expect(server.log.lines.join('\n')).toContain('Session r1 cannot be continued')
    }
    const again = RecordLog.open(join(dataDir, 'events.db'), { labels: SESSION_LABELS })
    expect(again.read('r1').at(-1)).toMatchObject({
      type: 'ended',
      data: { status: 'failed', error: 'interrupted: the server restarted while this task ran' },
    })
    await again.close()
  })

  let dataDir: string
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'orrery-'))
  })
  afterEach(() => rmSync(dataDir, { recursive: true }))

  /** Asks the device twice, with a recorded decision in between. Counts how often it decides. */
  function decidingAgent(): Agent & { decisions: number } {
    return {
      name: 'deciding',
      decisions: 0,
      accepts: (work) => work.kind === 'words',
      async run(context) {
        const call = (tool: string): ReturnType<typeof context.execute> =>
          context.execute([{ tool_name: tool, parameters: {}, tool_type: 'action' }])
        const [first] = await call('first')
        const next = await context.step('decide', async () => {
          this.decisions += 1
          return `second-${String(first?.result)}`
        })
        const [second] = await call(next)
        return { status: 'completed', result: [first?.result, second?.result, second?.error] }
      },
    }
  }

  /** Runs until the second command is under way, then stops the server as SIGTERM does. */
  async function untilSecondCommand(
    agent: Agent,
    register: (url: string) => Promise<WireClient>,
  ): Promise<{ id: string; command: Json }> {
    const clock = new ManualClock()
    const server = await startTestServer({ agents: [agent], dataDir, clock })
    const device = await register(server.url)
    const id = await begin(server, 'go')
    device.answer(await device.next(), 1)
    let command = await device.next()
    while (command['type'] !== 'command') command = await device.next()
    const stopped = server.server.stop()
    await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.drainTime))
    expect((await server.api('/readyz', undefined, {})).status).toBe(503)
    expect((await server.api('/api/sessions', { device_id: 'd1', request: 'go' })).body).toMatchObject({
      code: 'SERVER_STOPPING',
    })
    await clock.advance(LIMITS.drainTime)
    await stopped
    // The command continues: it is not cancelled.
    expect(device.pending().map((message) => message['type'])).not.toContain('cancel')
    return { id, command }
  }

  it('continues a session: what was answered or decided is not asked again, what was under way is sent again', async () => {
    const agent = decidingAgent()
    let token = ''
    const { id, command } = await untilSecondCommand(agent, async (url) => {
      const capable = await capableDevice(url)
      ;({ token } = capable)
      return capable.device
    })
    await using server = await startTestServer({ agents: [agent], dataDir })
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'paused', steps: 2 })
    const { device } = await capableDevice(server.url, token)
    const again = await device.next()
    expect(again).toMatchObject({ type: 'command', response_id: command['response_id'], actions: command['actions'] })
    device.answer(again, 2)
    await server.events(id)
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed', result: [1, 2, null], steps: 2 })
    expect(agent.decisions).toBe(1)
  })

  it('sends what was under way again even if the device has dropped once more by then', async () => {
    const agent = decidingAgent()
    let gate = Promise.resolve()
    const gated: Agent = { ...agent, run: (context) => gate.then(() => agent.run(context)) }
    let token = ''
    const { id, command } = await untilSecondCommand(gated, async (url) => {
      const capable = await capableDevice(url)
      ;({ token } = capable)
      return capable.device
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    await using server = await startTestServer({ agents: [gated], dataDir })
    const before = await capableDevice(server.url, token)
    before.device.terminate()
    await vi.waitFor(async () => expect((await server.api('/api/clients')).body).toEqual({ online_clients: [] }))
    resolve()
    const { device } = await capableDevice(server.url, before.token)
    const again = await device.next()
    expect(again).toMatchObject({ type: 'command', response_id: command['response_id'] })
    device.answer(again, 2)
    await server.events(id)
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed', result: [1, 2, null] })
  })

  it('does not send a batch again to a device that keeps no journal: it might run twice', async () => {
    const plain = (url: string): Promise<WireClient> => WireClient.register(url, DEVICE_KEY, { client_id: 'd1' })
    const { id } = await untilSecondCommand(decidingAgent(), plain)
    await using server = await startTestServer({ agents: [decidingAgent()], dataDir })
    const device = await plain(server.url)
    expect(await device.next()).toMatchObject({ type: 'task_end', status: 'completed' })
    expect((await server.api(`/api/sessions/${id}`)).body).toMatchObject({
      result: [1, null, 'interrupted: this command may or may not have had its effect'],
    })
  })

  it('gives a session up whose device does not come back', async () => {
    const { id } = await untilSecondCommand(decidingAgent(), async (url) => (await capableDevice(url)).device)
    const clock = new ManualClock()
    await using server = await startTestServer({ agents: [decidingAgent()], dataDir, clock })
    await clock.advance(LIMITS.resumeGrace)
    expect((await server.events(id)).at(-1)).toMatchObject({ type: 'ended', data: { status: 'failed' } })
  })

  it('cancels the sessions of a constellation: its requester is gone', async () => {
    const clock = new ManualClock()
    const first = await startTestServer({ agents: [scriptedAgent], dataDir, clock })
    const { device } = await capableDevice(first.url)
    const constellation = await WireClient.register(first.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    constellation.send({ type: 'task', client_type: 'constellation', target_id: 'd1', request: 'run one', session_id: 's' })
    await device.next()
    const stopped = first.server.stop()
    await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.drainTime))
    await clock.advance(LIMITS.drainTime)
    await stopped
    await using server = await startTestServer({ agents: [scriptedAgent], dataDir })
    expect((await server.api('/api/sessions/s')).body).toMatchObject({ status: 'cancelled' })
  })

  it('continues with a device that returns while the server drains', async () => {
    const clock = new ManualClock()
    const server = await startTestServer({ agents: [scriptedAgent], dataDir, clock })
    const before = await capableDevice(server.url)
    const id = await begin(server, 'run one')
    const command = await before.device.next()
    const stopped = server.server.stop()
    await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.drainTime))
    before.device.terminate()
    await vi.waitFor(async () => expect((await server.api('/api/clients')).body).toEqual({ online_clients: [] }))
    const back = await capableDevice(server.url, before.token)
    expect(back.sessionId).toBe(id)
    back.device.answer(command, 'in time')
    await stopped
    await using again = await startTestServer({ dataDir })
    expect((await again.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed', result: ['in time'] })
  })

  it('accepts no device once it has drained: the device would conclude that its session is gone', async () => {
    const clock = new ManualClock()
    const server = await startTestServer({ agents: [scriptedAgent], dataDir, clock })
    const { device, token } = await capableDevice(server.url)
    const id = await begin(server, 'run one')
    await device.next()
    const late = await WireClient.connect(server.url, DEVICE_KEY)
    const stopped = server.server.stop()
    await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.drainTime))
    const drained = clock.advance(LIMITS.drainTime)
    const aip = { version: 1, features: FEATURES, resume_token: token }
    await device.nextClose()
    late.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
    await expect(capableDevice(server.url, token)).rejects.toThrow()
    const answer = await late.nextWithin(1000)
    expect(JSON.stringify(answer)).not.toContain('resume_token')
    await drained
    await stopped
    await using again = await startTestServer({ agents: [scriptedAgent], dataDir })
    expect((await again.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'paused' })
  })

  it('lets sessions end that do so within the time to drain', async () => {
    const server = await startTestServer({ agents: [scriptedAgent], dataDir })
    const { device } = await capableDevice(server.url)
    const id = await begin(server, 'run one')
    const command = await device.next()
    const stopped = server.server.stop()
    device.answer(command, 'in time')
    await stopped
    await using again = await startTestServer({ dataDir })
    expect((await again.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed', result: ['in time'] })
  })
})
