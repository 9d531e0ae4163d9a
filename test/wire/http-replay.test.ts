import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../support/test-server.js'
import { WireClient } from '../support/wire-client.js'
import { IdPairs } from './comparison.js'
import { readHttpTable, readRecording, requestOf } from './recording.js'
import { compareAnswers, send } from './server-player.js'

const RECORDED_KEY = 'secret-key'

/** Where Orrery answers otherwise on purpose: the name in the table, its status, and why. */
const DELIBERATE: Record<string, [status: number, why: string]> = {
  'no key': [401, 'a missing key is answered like a wrong one'],
  'bearer instead': [200, 'a key counts as a bearer too'],
  'token query instead': [401, 'a missing key is answered like a wrong one'],
  'non-ascii key': [401, 'what a request does wrong is never a 500'],
  'dispatch numeric request': [400, 'what a request does wrong is never a 500'],
  'dispatch list client_id': [404, 'what a request does wrong is never a 500'],
  'dispatch to constellation': [404, 'a task is dispatched to devices only'],
  'dispatch text/plain': [415, 'a body of another type is named as that'],
  'HEAD health': [200, 'HEAD is answered where GET is'],
  root: [200, 'a page says what the server is'],
  docs: [404, 'the document is at /api/openapi.json, with the key'],
  openapi: [404, 'the document is at /api/openapi.json, with the key'],
}

/** The requests behind the rows of the table, in its order; a redirection is followed. */
const requests = readRecording('10_http_endpoints')
  .filter(({ ev, head = [] }) => ev === 'http_request' && !head.some((line) => /^upgrade:/i.test(line)))
  .map((line) => Object.assign(requestOf(line), { body: line.body }))

const rows = readHttpTable().map((row, index) => Object.assign(row, { request: requests[index] }))

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ operatorKey: RECORDED_KEY })
  for (const [id, role] of [
    ['pylong', 'device'],
    ['d10', 'device'],
    ['c10', 'constellation'],
  ] as const) {
    await WireClient.register(server.url, RECORDED_KEY, { client_id: id, client_type: role })
  }
})
afterAll(() => server[Symbol.asyncDispose]())

describe('the HTTP API, to requests of existing clients', () => {
  it.each(rows)('answers $name ($method $path) as recorded, or as the list says', async ({ name, method, path, ...row }) => {
    const { request } = row
    expect(`${request?.method} ${request?.path}`).toBe(`${method} ${path}`)
    const { status, body } = await send(server.url + path, method, request?.headers ?? {}, request?.body)
    const other = DELIBERATE[name]
    expect(status).toBe(other?.[0] ?? row.status)
    if (other === undefined) expect(compareAnswers(status, row.body, body, new IdPairs())).toEqual([])
    if (status >= 400 && method !== 'HEAD') expect(JSON.parse(body)).toMatchObject({ detail: expect.any(String) as unknown })
  })

  it('differs in nothing that the list names in vain', () => {
    const recorded = new Map(rows.map(({ name, status }) => [name, status]))
    for (const [name, [status]] of Object.entries(DELIBERATE)) expect(recorded.get(name), name).not.toBe(status)
  })
})
