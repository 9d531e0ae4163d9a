import { ROUTES, ROUTE_NAMES, type Route } from '@orrery/aip/api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import type { Json } from '../../../test/support/wire-client.js'

const routes = ROUTE_NAMES.map((name): { name: string; route: Route } => ({ name, route: ROUTES[name] }))
const UNAUTHORIZED = { detail: 'Invalid API key', code: 'UNAUTHORIZED' }
let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server[Symbol.asyncDispose]())

async function call({ method, path, body }: Route, headers: Record<string, string>): Promise<Response> {
  const url = server.url + path.replaceAll(/:\w+/g, 'x')
  const sent = method === 'GET' ? {} : { body: body === 'bytes' ? 'bytes' : '{}' }
  return fetch(url, { method, headers: { 'content-type': 'application/json', ...headers }, ...sent })
}

describe('every route of the table', () => {
  it.each(routes.filter(({ route }) => route.right !== 'open'))('$name asks for the operator key', async ({ route }) => {
    for (const headers of [{}, { 'x-api-key': DEVICE_KEY }]) {
      const response = await call(route, headers)
      expect(response.status).toBe(401)
      expect(await response.json()).toEqual(UNAUTHORIZED)
    }
  })

  it.each(routes)('$name is there, and answers in the form that it describes', async ({ route }) => {
    const response = await call(route, { 'x-api-key': OPERATOR_KEY })
    if (route.answer.kind === 'events' && response.ok) return response.body?.cancel()
    const answer: unknown = await response.json()
    if (!response.ok) {
      expect(answer).toEqual({ detail: expect.any(String) as unknown, code: expect.any(String) as unknown })
      expect(answer).not.toMatchObject({
        code: expect.stringMatching(/^(UNAUTHORIZED|NOT_FOUND|METHOD_NOT_ALLOWED|INTERNAL)$/) as unknown,
      })
    } else if (route.answer.kind === 'json') {
      expect(response.status).toBe(route.answer.status)
      expect(route.answer.schema.safeParse(answer).success).toBe(true)
    }
  })

  it.each(routes)('$name is in the OpenAPI document, with its right', async ({ name, route }) => {
    const { paths } = (await server.api('/api/openapi.json')).body as { paths: Record<string, Record<string, Json>> }
    const operation = paths[route.path.replaceAll(/:(\w+)/g, '{$1}')]?.[route.method.toLowerCase()]
    expect(operation).toMatchObject({ operationId: name, summary: route.doc, 'x-right': route.right })
    expect(operation?.['security']).toEqual(route.right === 'open' ? [] : undefined)
  })
})

describe('another method', () => {
  it.each([
    ['GET', '/api/devices/x/commands', 'POST'],
    ['DELETE', '/api/sessions/x', 'GET, HEAD'],
    ['POST', '/api/devices/x/files?path=y', 'GET, HEAD, PUT'],
  ])('%s %s is 405, and the answer says which there are', async (method, path, allowed) => {
    const response = await fetch(server.url + path, { method, headers: { 'x-api-key': OPERATOR_KEY } })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe(allowed)
    expect(await response.json()).toEqual({ detail: 'Method Not Allowed', code: 'METHOD_NOT_ALLOWED' })
  })
})
