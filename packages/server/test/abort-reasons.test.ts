import { messageOf } from '@orrery/aip'
import type { Agent } from '@orrery/server'
import { describe, expect, it, vi } from 'vitest'
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
