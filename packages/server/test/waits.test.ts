import { describe, expect, it, vi } from 'vitest'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const AIP = { version: 1, features: ['journal', 'resume', 'cancel', 'progress'] }

async function device(server: TestServer): Promise<WireClient> {
  return WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata: { platform: 'linux', aip: AIP } })
}

async function start(server: TestServer, request: string): Promise<string> {
  const { body } = await server.api('/api/sessions', { device_id: 'd1', request })
  return String(body['session_id'])
}

async function waitsOf(server: TestServer, sessionId: string): Promise<unknown> {
  return (await server.api(`/api/sessions/${sessionId}`)).body['waits_for']
}

/** The next command that a device gets, whatever comes before it. */
async function nextCommand(client: WireClient): Promise<Json> {
  for (;;) {
    const message = await client.next()
    if (message['type'] === 'command') return message
  }
}

/** The texts of a session's progress; settles once the first is there, `rest` at the end of the session. */
async function eventTexts(server: TestServer, sessionId: string): Promise<{ rest: Promise<unknown[]> }> {
  const response = await fetch(`${server.url}/api/sessions/${sessionId}/events`, { headers: { 'x-api-key': OPERATOR_KEY } })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const read = async (until: RegExp | null): Promise<void> => {
    while (until?.test(text) !== true) {
      const piece = await reader?.read()
      if (piece?.value === undefined) return
      text += piece.value
    }
  }
  await read(/event: progress\ndata: .*\n\n/)
  const texts = (): unknown[] =>
    [...text.matchAll(/^event: progress\ndata: (.*)$/gm)].map(
      ([, data]) => (JSON.parse(data ?? '') as { data: Json }).data['message'],
    )
  return { rest: read(null).then(texts) }
}

/** Progress of a call, as a device reports it. */
function progress(sessionId: string, command: Json, message: string): Json {
  const [action] = command['actions'] as Json[]
  return { type: 'progress', session_id: sessionId, call_id: action?.['call_id'], progress: 0, total: null, message }
}

describe('what a session waits for', () => {
  it('is the session before it, and what that one waits for, each change reported once', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server)
    const first = await start(server, 'run slow')
    const command = await d1.next()
    const { body } = await server.api('/api/sessions', { device_id: 'd1', request: 'run two' })
    expect(body['waits_for']).toMatchObject({ reason: 'queue', session_id: first, behind: null, since: body['created_at'] })
    const second = String(body['session_id'])
    const events = await eventTexts(server, second)
    d1.send(progress(first, command, 'waiting for permission at the device'))
    await expect.poll(() => waitsOf(server, first)).toMatchObject({ reason: 'approval', session_id: null })
    expect(await waitsOf(server, second)).toMatchObject({ reason: 'queue', session_id: first, behind: 'approval' })
    const { sessions } = (await server.api('/api/sessions')).body as { sessions: Json[] }
    expect(sessions.map((each) => (each['waits_for'] as Json)['reason'])).toEqual(['queue', 'approval'])
    d1.send(progress(first, command, 'half of it'))
    await expect.poll(() => waitsOf(server, first)).toBeNull()
    d1.answer(command)
    d1.answer(await nextCommand(d1))
    const queued = `queued behind ${first.slice(0, 8)}`
    expect(await events.rest).toEqual([queued, `${queued}, which waits for an approval at d1`, queued, null])
  })

  it('is the device, while that is away', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server)
    const first = await start(server, 'run slow')
    await d1.next()
    d1.terminate()
    await expect.poll(() => waitsOf(server, first)).toMatchObject({ reason: 'device' })
    await server.api(`/api/sessions/${first}/cancel`, {})
  })
})

describe('a caller of `POST …/commands` that leaves', () => {
  /** Sends commands, and leaves when told. */
  function call(server: TestServer): AbortController {
    const leave = new AbortController()
    void fetch(`${server.url}/api/devices/d1/commands`, {
      method: 'POST',
      headers: { 'x-api-key': OPERATOR_KEY, 'content-type': 'application/json' },
      body: JSON.stringify({ commands: [{ tool_name: 'one' }] }),
      signal: leave.signal,
    }).catch(() => {})
    return leave
  }

  const newest = async (server: TestServer): Promise<Json> =>
    ((await server.api('/api/sessions')).body as { sessions: Json[] }).sessions[0] ?? {}

  it('cancels what is still queued', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const d1 = await device(server)
    await start(server, 'run slow')
    const command = await d1.next()
    const caller = call(server)
    await expect
      .poll(() => newest(server))
      .toMatchObject({ status: 'accepted', request: expect.stringContaining('one') as unknown })
    caller.abort()
    await expect.poll(() => newest(server)).toMatchObject({ status: 'cancelled' })
    d1.answer(command)
  })

  it('cancels what waits for an approval', async () => {
    await using server = await startTestServer()
    const d1 = await device(server)
    const caller = call(server)
    const command = await d1.next()
    const id = String((await newest(server))['session_id'])
    d1.send(progress(id, command, 'waiting for an approval at the device'))
    await expect.poll(() => waitsOf(server, id)).toMatchObject({ reason: 'approval' })
    caller.abort()
    await expect.poll(() => newest(server)).toMatchObject({ status: 'cancelled' })
  })

  it('leaves what has begun', async () => {
    await using server = await startTestServer()
    const d1 = await device(server)
    const caller = call(server)
    const command = await d1.next()
    caller.abort()
    // The server has heard of it once it answers on a connection that was opened afterwards.
    await vi.waitFor(async () => expect((await server.api('/healthz')).status).toBe(200))
    d1.answer(command)
    await expect.poll(() => newest(server)).toMatchObject({ status: 'completed' })
  })
})
