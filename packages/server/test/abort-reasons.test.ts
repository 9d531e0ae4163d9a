import { LIMITS, messageOf } from '@orrery/aip'
import type { Agent } from '@orrery/server'
import { describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient } from '../../../test/support/wire-client.js'

/** Keeps the reason for which it is aborted. */
function listening(reasons: string[]): Agent {
  return {
    name: 'listening',
    accepts: () => true,
    run: ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(messageOf(signal.reason))
          reject(new Error('aborted'))
        })
      }),
  }
}

const TASK = { type: 'task', request: 'wait', session_id: 's1', request_id: 'r1', target_id: 'd1', client_type: 'constellation' }

describe('an agent that is aborted', () => {
  it.each([
    ['its constellation drops', 'due to client disconnection'],
    ['its device drops', 'target device disconnected'],
    ['a user cancels', 'Task was cancelled by the user'],
    ['the server stops', 'The server is shutting down'],
  ])('is given the reason: %s', async (what, reason) => {
    const reasons: string[] = []
    await using server = await startTestServer({ agents: [listening(reasons)] })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    constellation.send(TASK)
    await constellation.next()
    if (what === 'its constellation drops') constellation.terminate()
    else if (what === 'its device drops') device.terminate()
    else if (what === 'a user cancels') await server.api('/api/sessions/s1/cancel', {})
    else await server.server.stop()
    await vi.waitFor(() => expect(reasons).toEqual([expect.stringContaining(reason)]))
  })
})

it('an agent that does not end when it is cancelled records nothing after the end', async () => {
  const clock = new ManualClock()
  const late = Promise.withResolvers<void>()
  const refused: unknown[] = []
  const stubborn: Agent = {
    name: 'stubborn',
    accepts: () => true,
    async run({ step }) {
      await late.promise
      await step('late', () => Promise.resolve(1)).catch((error: unknown) => refused.push(messageOf(error)))
      return { status: 'completed', result: null }
    },
  }
  await using server = await startTestServer({ agents: [stubborn], clock })
  await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
  const { body } = await server.api('/api/sessions', { device_id: 'd1', request: 'wait' })
  const id = String(body['session_id'])
  await server.api(`/api/sessions/${id}/cancel`, {})
  await clock.advance(LIMITS.cancelGrace)
  await server.events(id)
  late.resolve()
  await vi.waitFor(() => expect(refused).toEqual([`Session '${id}' has ended`]))
  expect((await server.api(`/api/sessions/${id}/log`)).body).toMatchObject({ events: [{ type: 'accepted' }, { type: 'ended' }] })
})
