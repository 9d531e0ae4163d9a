import { describe, expect, it } from 'vitest'
import { ApiClientError, OrreryApi } from '../src/index.js'
import { event, json, scriptedServer, session, silence, text } from './scripted-server.js'

const DEVICE = {
  device_id: 'lab pc',
  status: 'online',
  platform: 'linux',
  system_info: null,
  features: ['journal'],
  connected_at: null,
  last_seen_at: null,
  current_session_id: null,
  mcp_servers: null,
}
const RESULT = { status: 'success', error: null, result: '', namespace: null, call_id: 'c1' }

async function failure(promise: Promise<unknown>): Promise<ApiClientError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ApiClientError)
  expect((error as Error).message).not.toContain('\n')
  return error as ApiClientError
}

function address(server: string): string {
  return new OrreryApi({ server }).server
}

describe('OrreryApi', () => {
  it('calls every route of the design, with the key', async () => {
    const outcome = { session_id: 's1', status: 'completed', results: [RESULT], error: null }
    const dispatched = { status: 'dispatched', task_name: 't 1', client_id: 'lab', session_id: 's1' }
    await using server = await scriptedServer({
      'GET /api/devices': json({ devices: [DEVICE] }),
      'GET /api/devices/lab%20pc': json(DEVICE),
      'DELETE /api/devices/lab%20pc': json({ device_id: 'lab pc', forgotten: true }),
      'GET /api/devices/lab%20pc/tools': json({ tools: [] }),
      'POST /api/devices/lab%20pc/commands': json(outcome),
      'POST /api/sessions': json(session(), 201),
      'GET /api/sessions?device_id=lab&status=failed&limit=3&before=r9': json({ sessions: [session()] }),
      'GET /api/sessions': json({ sessions: [] }),
      'GET /api/sessions/s1': json(session()),
      'POST /api/sessions/s1/cancel': json(session({ status: 'running' }), 202),
      'GET /api/health': json({ status: 'healthy', online_clients: ['lab'] }),
      'GET /api/clients': json({ online_clients: ['lab'] }),
      'POST /api/dispatch': json(dispatched),
      'GET /api/task_result/t%201': json({ status: 'done', result: { a: 1 } }),
    })
    const api = new OrreryApi({ server: server.url, apiKey: 'secret' })
    expect(await api.devices.list()).toEqual([DEVICE])
    expect(await api.devices.get('lab pc')).toEqual(DEVICE)
    await api.devices.forget('lab pc')
    expect(await api.devices.tools('lab pc')).toEqual([])
    expect(await api.devices.runCommands('lab pc', { commands: [{ tool_name: 'x' }], timeout_ms: 5 })).toEqual(outcome)
    expect(await api.sessions.create({ device_id: 'lab', request: 'words' })).toEqual(session())
    expect(await api.sessions.list({ device_id: 'lab', status: 'failed', limit: 3, before: 'r9' })).toEqual([session()])
    expect(await api.sessions.list()).toEqual([])
    expect(await api.sessions.get('s1')).toEqual(session())
    expect(await api.sessions.cancel('s1')).toEqual(session({ status: 'running' }))
    expect(await api.call('server.health', {})).toEqual({ status: 'healthy', online_clients: ['lab'] })
    expect(await api.call('server.clients', {})).toEqual({ online_clients: ['lab'] })
    expect(await api.call('tasks.dispatch', { body: { client_id: 'lab', request: 'words' } })).toEqual(dispatched)
    expect(await api.call('tasks.result', { params: { task_name: 't 1' } })).toEqual({ status: 'done', result: { a: 1 } })
    expect(server.seen.every((request) => request.headers['x-api-key'] === 'secret')).toBe(true)
    expect(JSON.parse(server.seen[4]!.body)).toEqual({ commands: [{ tool_name: 'x' }], timeout_ms: 5 })
  })

  it('understands the addresses that people paste', () => {
    expect(address('http://host:5000/')).toBe('http://host:5000')
    expect(address('localhost:5000')).toBe('http://localhost:5000')
    expect(address('127.0.0.1:5000')).toBe('http://127.0.0.1:5000')
    expect(address('wss://host/orrery/ws')).toBe('https://host/orrery')
    for (const bad of ['', 'http://', 'ftp://host', 'http://a b']) {
      expect(() => address(bad)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
    }
  })

  it('says that no server answers, and what to do', async () => {
    const server = await scriptedServer({})
    await server[Symbol.asyncDispose]()
    const error = await failure(new OrreryApi({ server: server.url }).devices.list())
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', status: null })
    expect(error.message).toBe(`No server answers at ${server.url} (ECONNREFUSED): is it running, and is the address right?`)
  })

  it('says which key was refused, and where keys come from', async () => {
    await using server = await scriptedServer({
      'GET /api/devices': json({ detail: 'Invalid API key', code: 'UNAUTHORIZED' }, 401),
    })
    const named = await failure(
      new OrreryApi({ server: server.url, apiKey: 'secret', keySource: 'ORRERY_API_KEY' }).devices.list(),
    )
    expect(named).toMatchObject({ code: 'UNAUTHORIZED', status: 401 })
    expect(named.message).toContain('refused the API key from ORRERY_API_KEY')
    expect(named.message).toContain('pass its operator key as apiKey')
    expect(named.problem).not.toContain('apiKey')
    expect(named.message).not.toContain('secret')
    const none = await failure(new OrreryApi({ server: server.url }).devices.list())
    expect(none.message).toContain('none was given')
  })

  it("passes on the server's own code and text", async () => {
    await using server = await scriptedServer({
      'GET /api/devices/lab': json({ detail: "Device 'lab' is not connected", code: 'DEVICE_OFFLINE' }, 404),
      'GET /api/sessions/x': json({ detail: 'of tomorrow', code: 'CODE_OF_A_NEWER_SERVER' }, 418),
    })
    const api = new OrreryApi({ server: server.url })
    const offline = await failure(api.devices.get('lab'))
    expect(offline).toMatchObject({ code: 'DEVICE_OFFLINE', status: 404, message: "Device 'lab' is not connected" })
    expect(await failure(api.sessions.get('x'))).toMatchObject({ code: 'CODE_OF_A_NEWER_SERVER', status: 418 })
  })

  it.each([
    ['HTML instead of JSON', text('<html>hello</html>', 'text/html')],
    ['an error page', text('<html>bad gateway</html>', 'text/html', 502)],
    ['JSON of another form', json({ machines: [] })],
    ['JSON that is cut off', text('{"devices": [', 'application/json')],
  ])('tells %s from an answer of Orrery', async (_name, route) => {
    await using server = await scriptedServer({ 'GET /api/devices': route })
    const error = await failure(new OrreryApi({ server: server.url }).devices.list())
    expect(error.code).toBe('INVALID_MESSAGE')
    expect(error.message).toContain('does not answer as an Orrery server')
  })

  it('gives up on a server that is too slow', async () => {
    await using server = await scriptedServer({ 'GET /api/devices': silence })
    const error = await failure(new OrreryApi({ server: server.url, timeoutMs: 50 }).devices.list())
    expect(error.code).toBe('TIMEOUT')
    expect(error.message).toBe(`The server at ${server.url} did not answer GET /api/devices within 0.05 s`)
  })

  it('gives up on an answer whose body stops', async () => {
    await using server = await scriptedServer({
      'GET /api/devices': (_request, response) => void response.writeHead(200).write('{'),
    })
    expect((await failure(new OrreryApi({ server: server.url }).devices.list({ timeoutMs: 50 }))).code).toBe('TIMEOUT')
  })

  it("ends a call at the caller's signal, with its reason", async () => {
    await using server = await scriptedServer({ 'POST /api/devices/lab/commands': silence })
    const stop = new AbortController()
    const call = new OrreryApi({ server: server.url }).devices.runCommands(
      'lab',
      { commands: [{ tool_name: 'x' }] },
      { signal: stop.signal },
    )
    stop.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
  })
})

describe('the log of a session', () => {
  it('is read page by page, and large values by their id', async () => {
    await using server = await scriptedServer({
      'GET /api/sessions/s1/log?limit=1000': json({ events: [event(3, 'remark'), event(5, 'remark')], next: 5 }),
      'GET /api/sessions/s1/log?after=5&limit=1000': json({ events: [event(8, 'ended')] }),
      'GET /api/sessions/s1/values/abc': json('x'),
      'GET /api/sessions/s1/values/page': text('<html>', 'text/html'),
    })
    const { sessions } = new OrreryApi({ server: server.url })
    expect((await sessions.log('s1')).map(({ seq }) => seq)).toEqual([3, 5, 8])
    expect((await sessions.log('s1', { after: 5 })).map(({ seq }) => seq)).toEqual([8])
    expect(await sessions.value('s1', 'abc')).toBe('x')
    expect(await failure(sessions.value('s1', 'page'))).toMatchObject({ code: 'INVALID_MESSAGE' })
  })
})

describe('files', () => {
  it('are read as they come, and written with their length', async () => {
    const written = { session_id: 's1', path: '/x y', bytes: 5, checksum: 'c', created: true }
    await using server = await scriptedServer({
      'GET /api/devices/lab%20pc/files?path=%2Fx+y': (_request, response) =>
        void response.writeHead(200, { 'content-length': 5, 'x-orrery-session-id': 's1' }).end('hello'),
      'PUT /api/devices/lab%20pc/files?path=%2Fx+y&overwrite=true': json(written),
    })
    const api = new OrreryApi({ server: server.url, apiKey: 'secret' })
    const { content, sessionId, size } = await api.devices.readFile('lab pc', '/x y')
    let text = ''
    for await (const piece of content) text += Buffer.from(piece).toString()
    expect({ sessionId, size, text }).toEqual({ sessionId: 's1', size: 5, text: 'hello' })
    const bytes = ReadableStream.from([Buffer.from('he'), Buffer.from('llo')])
    expect(await api.devices.writeFile('lab pc', '/x y', { bytes, size: 5, overwrite: true })).toEqual(written)
    expect(server.seen.at(-1)).toMatchObject({ body: 'hello', headers: { 'content-length': '5', 'x-api-key': 'secret' } })
  })

  it('say what the device says about them, if that is known', async () => {
    const results = [[{ status: 'success', result: { path: '/real', bytes: 5, checksum: 'c' } }], [{ result: 'text' }], null]
    const answers = [...results]
    await using server = await scriptedServer({
      'GET /api/devices/lab/files?path=x': (_request, response) =>
        void response.writeHead(200, { 'content-length': 0, 'x-orrery-session-id': 's1' }).end(),
      'GET /api/sessions/s1': (request, response) => json(session({ result: answers.shift() }))(request, response),
    })
    const file = await new OrreryApi({ server: server.url }).devices.readFile('lab', 'x')
    expect(await file.sent()).toEqual({ path: '/real', checksum: 'c' })
    for (const _ of results.slice(1)) expect(await file.sent()).toBeNull()
    await server[Symbol.asyncDispose]()
    expect(await file.sent()).toBeNull()
  })

  it('that are cut off say what the session says', async () => {
    await using server = await scriptedServer({
      'GET /api/devices/lab/files?path=x': (_request, response) => {
        response.writeHead(200, { 'content-length': 5, 'x-orrery-session-id': 's1' })
        response.write('he', () => response.destroy())
      },
      'GET /api/sessions/s1': json(session({ status: 'failed', error: 'the disk is broken' })),
    })
    const { content } = await new OrreryApi({ server: server.url }).devices.readFile('lab', 'x')
    const read = async (): Promise<void> => {
      for await (const piece of content) expect(Buffer.from(piece).toString()).toBe('he')
    }
    const error = await failure(read())
    expect(error).toMatchObject({ code: 'TRANSFER_CUT', message: 'The file transfer ended in the middle: the disk is broken' })
  })
})
