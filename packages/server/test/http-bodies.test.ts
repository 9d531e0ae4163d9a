import { LIMITS } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'

const MARKUP = '<script>\u001b[31m\u202e'

describe('the body of a request', () => {
  it.each([
    ['nested deeply', `{"commands":${'['.repeat(1_000_000)}`, 413, 'TOO_MANY_VALUES'],
    ['with many values', `{"commands":[${'0,'.repeat(LIMITS.resultValues)}0]}`, 413, 'TOO_MANY_VALUES'],
    [
      'with an object of many keys',
      JSON.stringify({ inputs: Object.fromEntries(Array.from({ length: LIMITS.objectKeys + 1 }, (_, at) => [`k${at}`, 0])) }),
      413,
      'TOO_MANY_VALUES',
    ],
    ['above 16 MiB', JSON.stringify({ request: 'x'.repeat(17 * 1024 * 1024) }), 413, 'MESSAGE_TOO_LARGE'],
    ['that is not JSON', `{"request": ${MARKUP}`, 422, 'INVALID_INPUT'],
    ['with a key that it does not know', JSON.stringify({ device_id: 'd', [MARKUP]: 1 }), 422, 'INVALID_INPUT'],
    ['of no object', '"x"', 422, 'INVALID_INPUT'],
  ])('is refused, and not repeated: %s', async (_case, body, status, code) => {
    await using server = await startTestServer()
    const headers = { 'x-api-key': OPERATOR_KEY, 'content-type': 'application/json' }
    const response = await fetch(`${server.url}/api/sessions`, { method: 'POST', headers, body })
    const text = await response.text()
    expect([response.status, (JSON.parse(text) as { code: string }).code]).toEqual([status, code])
    expect(text).not.toMatch(/<script>|\\u001b|\u202e/)
  })

  it.each([
    ['a device', `/api/devices/${encodeURIComponent(MARKUP)}`],
    ['a session', `/api/sessions/${encodeURIComponent(MARKUP)}`],
    ['a value', `/api/sessions/x/values/${encodeURIComponent(MARKUP)}`],
  ])('and a path is not repeated either: %s', async (_case, path) => {
    await using server = await startTestServer()
    const response = await fetch(server.url + path, { headers: { 'x-api-key': OPERATOR_KEY } })
    expect(response.status).toBe(404)
    expect(await response.text()).not.toMatch(/<script>|\\u001b|\u202e/)
  })
})
