import { describe, expect, it } from 'vitest'
import { DEVICE_KEY, startTestServer } from '../support/test-server.js'
import { WireClient, type Json } from '../support/wire-client.js'

/** The result of one command whose device answers with this JSON text; the message of the error if it is refused. */
async function through(value: string): Promise<unknown> {
  await using server = await startTestServer()
  const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
  const answer = server.api('/api/devices/d1/commands', { commands: [{ tool_name: 'number' }] })
  const command = await device.next()
  const message = {
    type: 'command_results',
    status: 'continue',
    session_id: command['session_id'],
    prev_response_id: command['response_id'],
    action_results: [{ status: 'success', result: 'VALUE' }],
  }
  device.sendRaw(JSON.stringify(message).replace('"VALUE"', value))
  const next = await device.next()
  if (next['type'] === 'error') return next['error']
  const [result] = (await answer).body['results'] as Json[]
  return result?.['result']
}

describe('a number of a device', () => {
  it.each([
    ['9007199254740991', 9007199254740991, 'is kept up to 2^53 - 1'],
    ['9007199254740993', 9007199254740992, 'is rounded to 53 bits above that'],
    ['0.1', 0.1, 'is a double'],
    ['3.0', 3, 'loses an empty fraction'],
    ['1e400', null, 'is null where a double is infinite'],
    ['"9007199254740993"', '9007199254740993', 'is kept whole as a text'],
    ['NaN', 'Invalid message format: not valid JSON', 'is refused where JSON has no such number'],
  ])('%s comes out as %j: it %s', async (text, expected, _rule) => {
    expect(await through(text)).toEqual(expected)
  })
})
