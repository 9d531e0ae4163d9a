import { describe, expect, it } from 'vitest'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient } from '../../../test/support/wire-client.js'

const KEY = { 'x-api-key': OPERATOR_KEY }
const JSON_TYPE = { 'content-type': 'application/json' }

async function post(url: string, body: string | undefined, headers: Record<string, string>): Promise<[number, unknown]> {
  const response = await fetch(url, { method: 'POST', headers: { ...KEY, ...headers }, ...(body === undefined ? {} : { body }) })
  return [response.status, await response.json()]
}

describe('a key as a bearer token', () => {
  it('opens the HTTP API, and a wrong one is refused', async () => {
    await using server = await startTestServer()
    const withKey = async (key: string): Promise<number> =>
      (await server.api('/api/devices', undefined, { authorization: `Bearer ${key}` })).status
    expect(await withKey(OPERATOR_KEY)).toBe(200)
    expect(await withKey('wrong')).toBe(401)
    expect((await server.api('/api/devices', undefined, { authorization: OPERATOR_KEY })).status).toBe(401)
  })

  it.each([
    ['bearer token', { authorization: `Bearer ${DEVICE_KEY}` }],
    ['X-API-Key', { 'x-api-key': DEVICE_KEY }],
  ])('and the WebSocket takes a %s too', async (_way, headers) => {
    await using server = await startTestServer()
    const device = await WireClient.open(`${server.url}/ws`, headers)
    device.send({ type: 'register', client_id: 'd1', client_type: 'device' })
    expect(await device.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
  })
})

describe('a body', () => {
  it.each([
    ['/api/sessions', { devic_id: 'd1', request: 'x' }, "body: unknown key 'devic_id'; did you mean 'device_id'?"],
    ['/api/sessions', { device_id: 'd1', requset: 'x' }, "body: unknown key 'requset'; did you mean 'request'?"],
    [
      '/api/devices/d1/commands',
      { commands: [{ tool_name: 'x' }], timeout: 5 },
      "body: unknown key 'timeout'; did you mean 'timeout_ms'?",
    ],
    [
      '/api/devices/d1/commands',
      { commands: [{ tool_nam: 'x' }] },
      "body 'commands.0': unknown key 'tool_nam'; did you mean 'tool_name'?",
    ],
    ['/api/sessions/s1/answer', { txt: 'x' }, "body: unknown key 'txt'; did you mean 'text'?"],
    ['/api/sessions/s1/remark', { text: 'x', to: 'y' }, "body: unknown key 'to'; there are: text"],
    ['/api/asks/a1', { decison: 'allow' }, "body: unknown key 'decison'; did you mean 'decision'?"],
    ['/api/sessions/s1/cancel', { reason: 'x' }, "body: unknown key 'reason'; the route takes no body"],
  ])('of %s with an unknown key is refused, and the error says what was meant: %j', async (path, body, detail) => {
    await using server = await startTestServer()
    expect(await server.api(path, body)).toEqual({
      status: 422,
      body: { detail: expect.stringContaining(detail) as unknown, code: 'INVALID_INPUT' },
    })
  })

  it('of a dispatch may have more keys and no content type, as existing servers take it', async () => {
    await using server = await startTestServer()
    const body = JSON.stringify({ client_id: 'gone', request: 'x', extra: 1 })
    const offline = [404, { detail: 'Client not online', code: 'CLIENT_NOT_ONLINE' }]
    expect(await post(`${server.url}/api/dispatch`, body, JSON_TYPE)).toEqual(offline)
    const response = await fetch(`${server.url}/api/dispatch`, { method: 'POST', headers: KEY, body: new Blob([body]) })
    expect(response.status).toBe(404)
  })

  it.each([[{}], [{ 'content-type': 'text/plain' }], [{ 'content-type': 'application/x-www-form-urlencoded' }]])(
    'that is not declared as JSON is 415: %j',
    async (headers) => {
      await using server = await startTestServer()
      const init = { method: 'POST', headers: { ...KEY, ...headers }, body: new Blob(['{"device_id":"d1","request":"x"}']) }
      const response = await fetch(`${server.url}/api/sessions`, init)
      expect(response.status).toBe(415)
      expect(await response.json()).toEqual({
        detail: 'The body must be JSON: send it with the header Content-Type: application/json',
        code: 'UNSUPPORTED_MEDIA_TYPE',
      })
    },
  )
})

describe('HEAD', () => {
  it('is answered as GET, without the body', async () => {
    await using server = await startTestServer()
    const head = async (path: string, headers: Record<string, string> = KEY): Promise<Response> =>
      fetch(server.url + path, { method: 'HEAD', headers })
    const devices = await head('/api/devices')
    expect([devices.status, devices.headers.get('content-type'), await devices.text()]).toEqual([
      200,
      'application/json; charset=utf-8',
      '',
    ])
    expect((await head('/api/devices', {})).status).toBe(401)
    expect((await head('/healthz', {})).status).toBe(200)
    expect((await head('/', {})).status).toBe(200)
    expect((await head('/api/nope')).status).toBe(404)
    expect((await head('/api/dispatch')).status).toBe(405)
  })

  it('of a stream ends at once, and says whether there is one', async () => {
    await using server = await startTestServer()
    for (const [path, status] of [
      ['/api/events', 200],
      ['/api/sessions/nope/events', 404],
    ] as const) {
      const response = await fetch(server.url + path, { method: 'HEAD', headers: KEY })
      expect(response.status).toBe(status)
      if (status === 200) expect(response.headers.get('content-type')).toBe('text/event-stream')
    }
  })
})

describe('cors_origins', () => {
  const PAGE = 'https://app.example.org'
  const asks = (origin: string): Record<string, string> => ({
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'x-api-key,content-type',
  })

  it('lets the pages named use the API, without cookies', async () => {
    await using server = await startTestServer({ corsOrigins: [PAGE] })
    const preflight = await fetch(`${server.url}/api/sessions`, { method: 'OPTIONS', headers: asks(PAGE) })
    expect(preflight.status).toBe(204)
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-headers': expect.stringContaining('x-api-key') as unknown,
      'access-control-allow-methods': expect.stringContaining('POST') as unknown,
      vary: expect.stringContaining('Origin') as unknown,
    })
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()
    for (const [path, status, headers] of [
      ['/api/devices', 200, KEY],
      ['/api/devices', 401, {}],
      ['/api/events', 200, KEY],
    ] as const) {
      const response = await fetch(server.url + path, { headers: { ...headers, origin: PAGE } })
      expect(response.status).toBe(status)
      expect(response.headers.get('access-control-allow-origin')).toBe(PAGE)
      expect(response.headers.get('access-control-allow-credentials')).toBeNull()
      expect(response.headers.get('access-control-expose-headers')).toContain('x-orrery-session-id')
      await response.body?.cancel()
    }
  })

  it.each([['https://evil.example.org'], ['http://app.example.org'], ['https://app.example.org:8443'], ['null']])(
    'and no others: %s',
    async (origin) => {
      await using server = await startTestServer({ corsOrigins: [PAGE] })
      const preflight = await fetch(`${server.url}/api/sessions`, { method: 'OPTIONS', headers: asks(origin) })
      const answer = await fetch(`${server.url}/api/devices`, { headers: { ...KEY, origin } })
      for (const { headers } of [preflight, answer]) expect(headers.get('access-control-allow-origin')).toBeNull()
    },
  )

  it('are none by default', async () => {
    await using server = await startTestServer()
    const preflight = await fetch(`${server.url}/api/sessions`, { method: 'OPTIONS', headers: asks(PAGE) })
    expect(preflight.status).toBe(405)
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
  })
})
