import { expect, it } from 'vitest'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient } from '../../../test/support/wire-client.js'

const AIP = { version: 1, features: ['journal', 'resume', 'concurrent'] }

it('starts a session of commands beside the running one, if it is asked to', async () => {
  await using server = await startTestServer({ agents: [scriptedAgent] })
  const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata: { platform: 'linux', aip: AIP } })
  await server.api('/api/sessions', { device_id: 'd1', request: 'run slow' })
  expect(await device.next()).toMatchObject({ actions: [{ tool_name: 'slow' }] })
  const wanted = { device_id: 'd1', commands: [{ tool_name: 'look' }], concurrent: true }
  expect((await server.api('/api/sessions', wanted)).status).toBe(201)
  expect(await device.next()).toMatchObject({ concurrent: true, actions: [{ tool_name: 'look' }] })
})

it('takes `concurrent` for commands only', async () => {
  await using server = await startTestServer({ agents: [scriptedAgent] })
  const { status, body } = await server.api('/api/sessions', { device_id: 'd1', request: 'run one', concurrent: true })
  expect({ status, body }).toMatchObject({ status: 422, body: { detail: expect.stringContaining('concurrent') as unknown } })
})
