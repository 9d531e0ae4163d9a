import { LIMITS } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient } from '../../../test/support/wire-client.js'
import { handshakeStatus } from './support/handshake-status.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('registration', () => {
  it('confirms with a time and a fresh id, and logs each step [S-109 S-189 S-191 S-200 S-201 S-202]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.connect(server.url, DEVICE_KEY)
    client.send({ type: 'register', client_id: 'd1' })
    const reply = await client.next()
    expect(reply).toMatchObject({ type: 'heartbeat', status: 'ok', session_id: null, result: null })
    expect(reply['response_id']).toMatch(UUID)
    expect(Date.parse(String(reply['timestamp']))).toBeGreaterThan(0)
    expect(server.log.lines).toEqual([
      'info [WS] [AIP] Waiting for registration message...',
      'info [WS] [AIP] Received registration from d1, type=device',
      'info [WS] [AIP] Sending registration confirmation...',
      'info [WS] [AIP] Registration confirmation sent',
      'info [WS] Registered device client: d1',
    ])
  })

  it('accepts the registration that the documents show, in their dialect [S-188 S-192 S-211]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.connect(server.url, OPERATOR_KEY)
    client.sendRaw(
      JSON.stringify({
        type: 'REGISTER',
        client_id: 'device_windows_001',
        client_type: 'DEVICE',
        platform: 'windows',
        metadata: { hostname: 'DESKTOP-ABC123', os_version: 'Windows 11 Pro', screen_resolution: '1920x1080' },
      }),
    )
    expect(await client.next()).toMatchObject({ type: 'REGISTER_CONFIRM', status: 'success' })
    client.sendRaw(JSON.stringify({ type: 'HEARTBEAT', client_id: 'device_windows_001' }))
    expect(await client.next()).toMatchObject({ type: 'HEARTBEAT_ACK', status: 'ok' })
    expect((await server.api('/api/devices/device_windows_001')).body).toMatchObject({ platform: 'windows', status: 'online' })
  })

  it('reads the platform from the metadata and takes windows where it is missing [S-108 S-198]', async () => {
    await using server = await startTestServer()
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'plain', metadata: null })
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'penguin', metadata: { platform: 'linux' } })
    const { body } = await server.api('/api/devices')
    expect(body['devices']).toMatchObject([
      { device_id: 'plain', platform: 'windows' },
      { device_id: 'penguin', platform: 'linux' },
    ])
  })

  it.each([
    ['no client id [S-105 S-193]', { type: 'register' }, 'Client ID is required for WebSocket registration'],
    ['an empty client id [S-193]', { type: 'register', client_id: '' }, 'Client ID is required for WebSocket registration'],
    [
      'a client id with other characters',
      { type: 'register', client_id: '../x y' },
      'client_id must be 1 to 128 letters, digits or _ . @ : -',
    ],
    ['a heartbeat first [S-106 S-194]', { type: 'heartbeat', client_id: 'd' }, 'First message must be a registration message'],
    ['a task first [S-251]', { type: 'task', client_id: 'd', request: 'x' }, 'First message must be a registration message'],
    [
      'an unknown role',
      { type: 'register', client_id: 'd', client_type: 'robot' },
      /^Invalid message format: field 'client_type'/,
    ],
  ])('gives the reason why it refuses %s, and closes', async (_case, message, error) => {
    await using server = await startTestServer()
    const client = await WireClient.connect(server.url, OPERATOR_KEY)
    client.send(message)
    expect(await client.next()).toMatchObject({ type: 'error', status: 'error', error: expect.stringMatching(error) as unknown })
    expect((await client.nextClose()).code).toBe(1008)
    expect((await server.api('/api/clients')).body).toEqual({ online_clients: [] })
  })

  it('refuses a first message that is not a JSON object [S-104 S-250]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.connect(server.url, OPERATOR_KEY)
    client.sendRaw('[]')
    expect(await client.next()).toMatchObject({ type: 'error', error: 'Invalid message format: not a JSON object' })
    expect((await client.nextClose()).code).toBe(1008)
  })

  it('accepts a registration in a binary frame [S-190]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.connect(server.url, OPERATOR_KEY)
    client.sendRaw(Buffer.from(JSON.stringify({ type: 'register', status: 'ok', client_id: 'd1' })))
    expect(await client.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
  })

  it('refuses an id that is online and leaves the first connection alone [S-031]', async () => {
    await using server = await startTestServer()
    const first = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const second = await WireClient.connect(server.url, DEVICE_KEY)
    second.send({ type: 'register', client_id: 'd1' })
    expect(await second.next()).toMatchObject({
      error: "client_id 'd1' is already registered; duplicate registrations are not allowed",
    })
    expect((await second.nextClose()).code).toBe(1000)
    first.send({ type: 'heartbeat', client_id: 'd1' })
    expect(await first.next()).toMatchObject({ type: 'heartbeat', status: 'ok' })
  })

  it('reads an empty target as none, in a registration and in a task of a device', async () => {
    await using server = await startTestServer()
    await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation', target_id: '' })
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', target_id: '' })
    device.send({ type: 'task', request: 'workflow:none', target_id: '' })
    expect(await device.next()).toMatchObject({ error: expect.stringContaining("no workflow 'none'") as unknown })
  })

  it('takes constellations without a target, with an online one, and refuses the others [S-107 S-195 S-196 S-197 S-203 S-259]', async () => {
    await using server = await startTestServer()
    await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    const refused = await WireClient.connect(server.url, OPERATOR_KEY)
    refused.send({ type: 'register', client_id: 'c2', client_type: 'constellation', target_id: 'd1' })
    expect(await refused.next()).toMatchObject({ type: 'error', error: "Target device 'd1' is not connected" })
    expect((await refused.nextClose()).code).toBe(1000)
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c2', client_type: 'constellation', target_id: 'd1' })
    expect(server.log.lines).toContain('info [WS] 🌟 Registered constellation client: c1')
    expect(server.log.lines).toContain("warn [WS] Constellation registration failed: Target device 'd1' is not connected")
  })

  it('lets the device key register devices only [S-205]', async () => {
    await using server = await startTestServer()
    const client = await WireClient.connect(server.url, DEVICE_KEY)
    client.send({ type: 'register', client_id: 'c', client_type: 'constellation' })
    expect(await client.next()).toMatchObject({ error: 'This key does not allow to register as constellation' })
    expect((await client.nextClose()).code).toBe(1008)
  })

  it('closes a connection that does not register in time', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const client = await WireClient.connect(server.url, DEVICE_KEY)
    await clock.advance(LIMITS.registrationTime)
    expect(await client.next()).toMatchObject({ type: 'error', error: 'No registration message within 10 s' })
    expect((await client.nextClose()).code).toBe(1008)
  })

  it('cuts a connection that sends more than 64 KiB before it has registered', async () => {
    await using server = await startTestServer()
    const client = await WireClient.connect(server.url, DEVICE_KEY)
    client.sendRaw(`{"type":"register","client_id":"${'x'.repeat(1024 * 1024)}"}`)
    expect(await client.nextClose()).toEqual({ code: 1009, reason: 'message too big before registration' })
    const registered = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    registered.send({ type: 'heartbeat', client_id: 'd1', metadata: { padding: 'x'.repeat(1000 * 1024) } })
    expect(await registered.next()).toMatchObject({ type: 'heartbeat' })
  })
})

describe('the handshake', () => {
  it.each([
    ['a wrong key', '/ws?token=wrong'],
    ['no key', '/ws'],
    ['a wrong path', `/other?token=${DEVICE_KEY}`],
    ['a right key before a wrong one', `/ws?token=${DEVICE_KEY}&token=wrong`],
  ])('refuses %s with 403', async (_case, path) => {
    await using server = await startTestServer()
    expect(await handshakeStatus(server.url + path)).toBe(403)
  })

  it('takes the key as a bearer token too', async () => {
    await using server = await startTestServer()
    expect(await handshakeStatus(`${server.url}/ws`, { authorization: `Bearer ${DEVICE_KEY}` })).toBe(101)
  })
})
