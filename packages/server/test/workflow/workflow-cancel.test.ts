import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.js'
import { DEVICE_KEY, startTestServer, type TestServer } from '../../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../../test/support/wire-client.js'
import { SERVER_LIMITS } from '../../src/limits.js'

const WORKFLOW = `steps:
  - { id: work, run: work, foreach: [1, 2], retry: { times: 3, wait_ms: 60000 } }
  - run: not reached
  - { run: after, if: always() }
  - { run: told, if: cancelled() }
  - { run: not this, if: failure() }
  - { run: nor this, if: "!cancelled()" }
finally:
  - run: clean
`

async function begin(server: TestServer, workflow: string, features = ['journal', 'resume', 'cancel']) {
  const device = await WireClient.connect(server.url, DEVICE_KEY)
  device.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip: { version: 1, features } } })
  await device.next()
  const { body } = await server.api('/api/sessions', { device_id: 'd1', workflow })
  const id = String(body['session_id'])
  return { device, id, cancel: () => server.api(`/api/sessions/${id}/cancel`, {}) }
}

const commandOf = ({ actions }: Json): unknown => {
  const [action] = actions as { parameters: Json }[]
  return action?.parameters['command']
}

async function next(device: WireClient, type: string): Promise<Json> {
  let message = await device.next()
  while (message['type'] !== type) message = await device.next()
  return message
}

/** Answers a command as a device that ended it early. */
function endEarly(device: WireClient, { session_id, response_id, actions }: Json): void {
  const result = { status: 'failure', error: 'cancelled', result: null, call_id: (actions as Json[])[0]?.['call_id'] }
  device.send({ type: 'command_results', session_id, prev_response_id: response_id, action_results: [result] })
}

describe('a workflow that is cancelled', () => {
  it('ends what runs, and then runs what asks for it by always() or cancelled(), and its last steps', async () => {
    await using server = await startTestServer()
    const { device, id, cancel } = await begin(server, WORKFLOW)
    const work = await next(device, 'command')
    await cancel()
    await next(device, 'cancel')
    endEarly(device, work)
    const ran: unknown[] = []
    while (ran.length < 3) {
      const command = await next(device, 'command')
      ran.push(commandOf(command))
      device.answer(command, { exit_code: 0 })
    }
    expect(ran).toEqual(['after', 'told', 'clean'])
    const events = await server.events(id)
    expect(events.at(-1)).toMatchObject({ type: 'ended', data: { status: 'cancelled', error: 'Task was cancelled by the user' } })
    expect(events.filter(({ type }) => type === 'commands_sent')).toHaveLength(4)
  })

  it('ends at once when it is cancelled again', async () => {
    await using server = await startTestServer()
    const { device, id, cancel } = await begin(server, WORKFLOW)
    const work = await next(device, 'command')
    await cancel()
    await next(device, 'cancel')
    endEarly(device, work)
    expect(commandOf(await next(device, 'command'))).toBe('after')
    await cancel()
    expect((await server.events(id)).at(-1)).toMatchObject({ type: 'ended', data: { status: 'cancelled' } })
    await next(device, 'cancel')
  })

  it('has a limited time for that', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const { device, id, cancel } = await begin(server, WORKFLOW)
    await next(device, 'command')
    await cancel()
    await next(device, 'cancel')
    await clock.advance(SERVER_LIMITS.cleanUp)
    await clock.advance(LIMITS.cancelGrace)
    expect((await server.events(id)).at(-1)).toMatchObject({ type: 'ended', data: { status: 'cancelled' } })
  })

  it.each([
    ['there is nothing to run', 'steps: [{ run: work }, { run: never }]', ['journal', 'resume', 'cancel']],
    ['its device cannot end what runs', WORKFLOW, ['journal', 'resume']],
  ])('ends at once where %s', async (_case, workflow, features) => {
    await using server = await startTestServer()
    const { device, id, cancel } = await begin(server, workflow, features)
    await next(device, 'command')
    await cancel()
    expect((await server.events(id)).at(-1)).toMatchObject({ type: 'ended', data: { status: 'cancelled' } })
  })

  it('is not continued by a restart of the server', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-cancel-'))
    const clock = new ManualClock()
    const first = await startTestServer({ dataDir, clock })
    const { device, id, cancel } = await begin(first, WORKFLOW)
    await next(device, 'command')
    await cancel()
    await next(device, 'cancel')
    const stopped = first.server.stop()
    await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.drainTime))
    await clock.advance(LIMITS.drainTime)
    await clock.advance(LIMITS.cancelGrace)
    await stopped
    {
      await using server = await startTestServer({ dataDir })
      const events = await server.events(id)
      expect(events.at(-1)).toMatchObject({ type: 'ended', data: { status: 'cancelled' } })
      expect(events.filter(({ type }) => type === 'commands_sent')).toHaveLength(1)
    }
    rmSync(dataDir, { recursive: true })
  })
})
