import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient } from '../../../test/support/wire-client.js'

const SYSTEM_INFO = { device_id: 'd1', platform: 'linux', cpu_count: 2 }

describe('heartbeats', () => {
  it('are answered with a fresh id, and logged at debug [S-112 S-122 S-211 S-229 S-230 S-257 S-258]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    client.send({ type: 'heartbeat', client_id: 'd1' })
    client.send({ type: 'heartbeat', client_id: 'd1' })
    const [first, second] = [await client.next(), await client.next()]
    expect(first).toMatchObject({ type: 'heartbeat', status: 'ok', session_id: null })
    expect(first['response_id']).not.toBe(second['response_id'])
    expect(server.log.lines).toContain('debug [WS] [AIP] Heartbeat from d1')
    expect(server.log.lines).toContain('debug [WS] [AIP] Heartbeat response sent to d1')
    expect(server.log.lines).toContain('debug [WS] 📱 Received device message from d1, type: heartbeat')
  })

  it('of a constellation may carry the default client type', async () => {
    await using server = await startTestServer()
    const client = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    client.send({ type: 'heartbeat', client_id: 'c1', client_type: 'device' })
    expect(await client.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
  })
})

describe('a message that cannot be handled', () => {
  it('is answered with an error that names the field, and the connection stays [S-133 S-207 S-248 S-250]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    client.sendRaw('{oops')
    const error = await client.next()
    expect(error).toMatchObject({
      type: 'error',
      status: 'error',
      error: 'Invalid message format: not valid JSON',
      session_id: null,
    })
    expect(Object.keys(error)).toEqual(expect.arrayContaining(['timestamp', 'response_id']))
    client.send({ type: 'task', client_id: 'd1', request: 5 })
    expect((await client.next())['error']).toMatch(/^Invalid message format: field 'request': /)
    client.send({ type: 'heartbeat' })
    expect(await client.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
    expect(server.log.lines).toContain('error Error handling message: Invalid message format: not valid JSON')
  })

  it('names the field that is missing [S-249]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    for (const [message, field] of [
      [{ client_id: 'd1' }, 'type'],
      [{ type: 'progress', client_id: 'd1', session_id: 's', call_id: 'c' }, 'progress'],
      [{ type: 'command_results', client_id: 'd1', action_results: [{}] }, 'action_results.0.status'],
    ] as const) {
      client.sendRaw(JSON.stringify(message))
      expect(await client.next()).toMatchObject({
        type: 'error',
        error: `Invalid message format: missing required field '${field}'`,
        timestamp: expect.any(String) as unknown,
        response_id: expect.any(String) as unknown,
      })
    }
  })

  it.each([null, ''])('is refused when it is a task without a client id: %j [S-135 S-274]', async (clientId) => {
    await using server = await startTestServer()
    const client = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    client.send({ type: 'task', client_type: 'constellation', client_id: clientId, request: 'x', target_id: 'd1' })
    expect(await client.next()).toMatchObject({ type: 'error', error: 'Client ID required' })
    client.send({ type: 'heartbeat', client_id: clientId })
    expect(await client.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
  })

  it('comes back when it is an error of the client [S-113 S-212]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    client.send({ type: 'error', status: 'error', error: 'my text' })
    expect(await client.next()).toMatchObject({ type: 'error', error: 'my text' })
    client.send({ type: 'error', status: 'error' })
    expect(await client.next()).toMatchObject({ type: 'error', error: 'Unknown error' })
  })

  it('is refused when its type is not expected from a client [S-215]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    for (const type of ['register', 'task_end']) {
      client.send({ type, client_id: 'd1' })
      expect(await client.next()).toMatchObject({ error: `Unknown message type: ClientMessageType.${type.toUpperCase()}` })
    }
    expect(server.log.lines).toContain('warn [WS] Unknown message type from d1: task_end')
  })

  it('is refused when it names another client or role [S-135]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    client.send({ type: 'heartbeat', client_id: 'other' })
    expect(await client.next()).toMatchObject({ error: 'client_id does not match the registered connection' })
    client.send({ type: 'task', client_type: 'constellation', target_id: 'd1', request: 'x' })
    expect(await client.next()).toMatchObject({ error: 'client_type does not match the registered connection' })
  })
})

describe('device information', () => {
  it('comes from what the device told, with the id of the request [S-114 S-123 S-124 S-213 S-234]', async () => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata: { system_info: SYSTEM_INFO } })
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    const ask = async (requestId: string | null): Promise<unknown> => {
      constellation.send({ type: 'device_info_request', client_type: 'constellation', target_id: 'd1', request_id: requestId })
      return constellation.next()
    }
    expect(await ask('r1')).toMatchObject({ type: 'device_info_response', status: 'ok', response_id: 'r1', result: SYSTEM_INFO })
    expect(await ask(null)).toMatchObject({ response_id: null })
    expect(server.log.lines).toContain('info [WS] Constellation c1 requesting info for device d1')

    device.send({ type: 'device_info_response', metadata: { ...SYSTEM_INFO, cpu_count: 16 } })
    device.send({ type: 'heartbeat' })
    expect(await device.next()).toMatchObject({ type: 'heartbeat' })
    expect(await ask('r2')).toMatchObject({ result: { cpu_count: 16 } })
  })

  it('is what is known of a device that registered as the documents show, or with nothing at all [S-272]', async () => {
    await using server = await startTestServer()
    const sample = { hostname: 'DESKTOP-ABC123', os_version: 'Windows 11 Pro', screen_resolution: '1920x1080' }
    const registration = { type: 'REGISTER', client_type: 'DEVICE', platform: 'windows', metadata: sample }
    const shown = await WireClient.connect(server.url, DEVICE_KEY)
    shown.sendRaw(JSON.stringify({ ...registration, client_id: 'shown' }))
    await shown.next()
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'silent', metadata: null })
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    const infoOf = async (id: string): Promise<unknown> => {
      constellation.send({ type: 'device_info_request', client_type: 'constellation', target_id: id })
      return (await constellation.next())['result']
    }
    expect(await infoOf('shown')).toEqual({ device_id: 'shown', platform: 'windows', ...sample })
    expect(await infoOf('silent')).toEqual({ device_id: 'silent', platform: 'windows' })
    expect((await server.api('/api/devices/shown')).body).toMatchObject({ system_info: sample })
  })

  it('is asked of a device that can answer, when it has said nothing for a minute [S-271]', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const metadata = { system_info: SYSTEM_INFO, aip: { version: 1, features: ['info'] } }
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata })
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    const ask = (): void => constellation.send({ type: 'device_info_request', client_type: 'constellation', target_id: 'd1' })
    const tell = (screen: string): void => device.send({ type: 'device_info_response', metadata: { screen_resolution: screen } })

    ask()
    ask()
    expect(await device.next()).toMatchObject({ type: 'device_info_request' })
    tell('800x600')
    const first = { ...SYSTEM_INFO, screen_resolution: '800x600' }
    for (const _ of [1, 2]) expect(await constellation.next()).toMatchObject({ type: 'device_info_response', result: first })
    ask()
    expect(await constellation.next()).toMatchObject({ result: first })

    await clock.advance(60_001)
    ask()
    expect(await device.next()).toMatchObject({ type: 'device_info_request' })
    tell('1920x1080')
    expect(await constellation.next()).toMatchObject({ result: { screen_resolution: '1920x1080' } })

    await clock.advance(60_001)
    ask()
    await device.next()
    await clock.advance(2000)
    expect(await constellation.next()).toMatchObject({ result: { screen_resolution: '1920x1080' } })

    ask()
    await device.next()
    device.terminate()
    expect(await constellation.next()).toMatchObject({ result: { error: "Device 'd1' is not connected" } })
  })

  it('is stored when a device pushes it [S-214]', async () => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    device.send({ type: 'device_info_response', metadata: { screen: 'new' } })
    device.send({ type: 'heartbeat' })
    await device.next()
    expect((await server.api('/api/devices/d1')).body).toMatchObject({ system_info: { screen: 'new' }, mcp_servers: null })
  })

  it('is added to what the device told when it registered, when it pushes more', async () => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata: { system_info: SYSTEM_INFO } })
    device.send({ type: 'device_info_response', metadata: { mcp_servers: [], capabilities: ['gui'] } })
    device.send({ type: 'heartbeat' })
    await device.next()
    const { body } = await server.api('/api/devices/d1')
    expect(body).toMatchObject({ system_info: { ...SYSTEM_INFO, capabilities: ['gui'] }, mcp_servers: [] })
  })

  it('holds how the MCP servers of a device are, while it is online', async () => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', metadata: { system_info: SYSTEM_INFO } })
    const states = [{ name: 'lab', state: 'failed', tools: 2, error: 'no licence' }]
    const push = async (servers: unknown): Promise<void> => {
      device.send({ type: 'device_info_response', metadata: { mcp_servers: servers } })
      device.send({ type: 'heartbeat' })
      await device.next()
    }
    await push(states)
    expect((await server.api('/api/devices/d1')).body).toMatchObject({ mcp_servers: states, system_info: SYSTEM_INFO })
    device.close()
    await expect
      .poll(async () => (await server.api('/api/devices/d1')).body)
      .toMatchObject({ status: 'offline', mcp_servers: null })
  })

  it('of a device that is not there is an error, not silence [S-236]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    client.send({ type: 'device_info_request', client_type: 'constellation', target_id: 'gone', request_id: 'r' })
    expect(await client.next()).toMatchObject({ response_id: 'r', result: { error: "Device 'gone' is not connected" } })
  })

  it('is for constellations, and for the device that they registered for', async () => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd2' })
    device.send({ type: 'device_info_request', target_id: 'd1' })
    expect(await device.next()).toMatchObject({ error: 'DEVICE_INFO_REQUEST is permitted only for constellation clients' })
    const scoped = await WireClient.register(server.url, OPERATOR_KEY, {
      client_id: 'c1',
      client_type: 'constellation',
      target_id: 'd1',
    })
    scoped.send({ type: 'device_info_request', client_type: 'constellation', target_id: 'd2' })
    expect(await scoped.next()).toMatchObject({ error: 'Not authorized to request device info for this device' })
  })
})
