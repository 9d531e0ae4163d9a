import { LIMITS } from '@orrery/aip'
import { describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { StockLinuxDevice } from '../../../test/support/stock-linux-device.js'
import { DEVICE_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const run = (server: TestServer, ...names: string[]): Promise<{ status: number; body: Json }> =>
  server.api('/api/devices/d1/commands', {
    commands: names.map((tool_name) => ({ tool_name, parameters: { command: 'uptime' } })),
  })

describe('the tools of an existing device', () => {
  it('are listed by one command, and known from then on', async () => {
    await using server = await startTestServer()
    await using device = await StockLinuxDevice.register(server.url, DEVICE_KEY)
    for (let time = 0; time < 2; time += 1) {
      const { body } = await server.api('/api/devices/d1/tools')
      expect(body).toMatchObject({ tools: [{ tool_name: 'execute_command', tool_type: 'action' }], listed_at: /./ })
    }
    expect(device.received).toMatchObject([
      { type: 'heartbeat' },
      { type: 'command', actions: [{ tool_name: 'list_tools', tool_type: 'action', parameters: {} }] },
    ])
    expect((await server.api('/api/sessions')).body['sessions']).toEqual([])
  })

  it('are asked for before the first command, once a connection; a name that is not among them is answered by the server at once [TOOL_NOT_LISTED BATCH_NOT_SENT]', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    {
      await using device = await StockLinuxDevice.register(server.url, DEVICE_KEY)
      expect((await run(server, 'execute_command')).body).toMatchObject({ status: 'completed', results: [{ result: 'uptime' }] })
      const { body } = await run(server, 'execute_command', 'exec_command', 'execute_command')
      expect(body).toMatchObject({
        status: 'failed',
        results: [
          { status: 'skipped', error: expect.stringContaining('Not sent') as string },
          { status: 'failure', error: "Device 'd1' has no tool 'exec_command'; it has: execute_command" },
          { status: 'skipped' },
        ],
      })
      // Also in the middle of a session of an agent.
      const { body: session } = await server.api('/api/sessions', { device_id: 'd1', request: 'run exec_command' })
      expect((await server.events(String(session['session_id']))).map(({ type }) => type)).toEqual([
        'accepted',
        'commands_sent',
        'results_received',
        'ended',
      ])
      expect(device.batches).toEqual([['list_tools'], ['execute_command']])
    }
    await vi.waitFor(async () => expect((await server.api('/api/clients')).body).toEqual({ online_clients: [] }))
    await using device = await StockLinuxDevice.register(server.url, DEVICE_KEY, { tools: { exec_command: () => 'new here' } })
    expect((await run(server, 'exec_command')).body).toMatchObject({ results: [{ result: 'new here' }] })
    expect(device.batches).toEqual([['list_tools'], ['exec_command']])
  })

  it.each([
    ['is empty', () => []],
    ['is a text', () => 'what?'],
  ])('are unknown when what they answer %s: commands are sent as before', async (_how, list) => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    device.showsListing = true
    const running = run(server, 'unheard_of')
    device.answer(await device.next(), list())
    device.answer(await device.next(), 'ran')
    expect((await running).body).toMatchObject({ status: 'completed', results: [{ result: 'ran' }] })
    // It is not asked again for a command, but for a user who wants the list.
    const again = run(server, 'unheard_of')
    expect(await device.next()).toMatchObject({ type: 'task_end' })
    device.answer(await device.next(), 'ran again')
    expect((await again).body).toMatchObject({ status: 'completed' })
  })

  it('are unknown when it does not answer in 2 s: commands are sent as before', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    device.showsListing = true
    const running = run(server, 'execute_command')
    await device.next()
    await clock.advance(LIMITS.toolListTime)
    device.answer(await device.next(), 'ran')
    expect((await running).body).toMatchObject({ status: 'completed' })
  })
})
