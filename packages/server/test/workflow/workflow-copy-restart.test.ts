import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.js'
import { DEVICE_KEY, startTestServer, type TestServer } from '../../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../../test/support/wire-client.js'

const WORKFLOW = `steps:
  - { id: c, uses: cp, with: { from: a, to: "web:a" }, continue-on-error: true }
  - { id: t, tool: t, with: { said: "\${{ steps.c.error }}" } }
`
let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'orrery-copy-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

async function register(server: TestServer, id: string, token?: string): Promise<{ device: WireClient; token: string }> {
  const device = await WireClient.connect(server.url, DEVICE_KEY)
  const resume = token === undefined ? {} : { resume_token: token }
  const aip = { version: 1, features: ['journal', 'resume', 'cancel', 'files'], ...resume }
  device.send({ type: 'register', client_id: id, metadata: { platform: 'linux', aip } })
  const { result } = (await device.next()) as { result: { aip: { resume_token: string } } }
  return { device, token: result.aip.resume_token }
}

async function nextCommand(device: WireClient): Promise<Json> {
  let message = await device.next()
  while (message['type'] !== 'command') message = await device.next()
  return message
}

const actionOf = (command: Json): Json => (command['actions'] as Json[])[0] ?? {}

function fail(device: WireClient, command: Json, error: string): void {
  const { session_id, response_id } = command
  const result = { status: 'failure', error, result: null, call_id: actionOf(command)['call_id'] }
  device.send({ type: 'command_results', session_id, prev_response_id: response_id, action_results: [result] })
}

/** Runs the workflow until a server is stopped, and continues with the next one. */
async function restarted(
  before: (device: WireClient) => Promise<void>,
  after: (device: WireClient) => Promise<void>,
): Promise<Json[]> {
  const clock = new ManualClock()
  const first = await startTestServer({ dataDir, clock })
  await register(first, 'web')
  const { device, token } = await register(first, 'd1')
  const { body } = await first.api('/api/sessions', { device_id: 'd1', workflow: WORKFLOW })
  await before(device)
  const stopped = first.server.stop()
  await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.drainTime))
  await clock.advance(LIMITS.drainTime)
  await stopped
  await using server = await startTestServer({ dataDir })
  const again = await register(server, 'd1', token)
  await after(again.device)
  return server.events(String(body['session_id']))
}

describe('a workflow that copies a file while the server restarts', () => {
  it('fails the step as interrupted and copies nothing again', async () => {
    let transfer: unknown
    const events = await restarted(
      async (device) => {
        const command = actionOf(await nextCommand(device))
        expect(command).toMatchObject({ tool_name: 'send_file', parameters: { path: 'a' } })
        transfer = (command['parameters'] as Json)['transfer_id']
      },
      async (device) => {
        const command = await nextCommand(device)
        expect(actionOf(command)).toMatchObject({ tool_name: 'send_file', parameters: { transfer_id: transfer } })
        fail(device, command, 'interrupted')
        const next = await nextCommand(device)
        expect(actionOf(next)).toMatchObject({
          tool_name: 't',
          parameters: { said: expect.stringMatching(/interrupted/) as unknown },
        })
        device.answer(next)
      },
    )
    expect(events.at(-1)).toMatchObject({ type: 'ended', data: { status: 'completed' } })
  })

  it('does not look at a copy again that had ended', async () => {
    const events = await restarted(
      async (device) => {
        fail(device, await nextCommand(device), 'no such file')
        expect(actionOf(await nextCommand(device))).toMatchObject({ tool_name: 't', parameters: { said: 'no such file' } })
      },
      async (device) => {
        const next = await nextCommand(device)
        expect(actionOf(next)).toMatchObject({ tool_name: 't', parameters: { said: 'no such file' } })
        device.answer(next)
      },
    )
    expect(events.filter(({ type }) => type === 'commands_sent')).toHaveLength(2)
    expect(events.at(-1)).toMatchObject({ type: 'ended', data: { status: 'completed' } })
  })
})
