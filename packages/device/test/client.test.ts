import type { IncomingMessage } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { ManualClock, settle } from '../../../test/support/manual-clock.js'
import {
  startDevice,
  UFOClient,
  UFOWebSocketClient,
  ComputerManager,
  MCPServerManager,
  DEFAULT_DEVICE_CONFIG,
} from '../src/index.js'
import { silentLogger, systemClock } from '@orrery/aip'
import { withServers } from './support/config.js'
import { RecordingLogger } from './support/recording-logger.js'
import { dial, online } from './support/running-device.js'
import { ScriptedServer } from './support/scripted-server.js'

const bare = withServers({})

/** A client engine without tools. */
function engine(logger = new RecordingLogger()): UFOClient {
  const servers = new MCPServerManager({ config: bare, clock: systemClock, logger: silentLogger, env: {}, cwd: '.' })
  return new UFOClient({
    mcpServerManager: servers,
    computerManager: new ComputerManager(bare, servers),
    clientId: 'lab-1',
    platform: 'linux',
    logger,
  })
}

describe('UFOWebSocketClient', () => {
  it('has a public method for each kind of message, and for receiving them [S-050 S-051 S-052 S-263]', async () => {
    await using running = await online({ config: bare })
    const { connection, device } = running
    const methods = ['startTask', 'handleCommands', 'handleTaskEnd'] as const
    const spies = methods.map((name) => vi.spyOn(device.client, name))
    connection.send('command', { session_id: 's1', response_id: 'r1', actions: [] })
    await connection.next('command_results')
    connection.send('task_end', { session_id: 's1', status: 'completed' })
    connection.send('task_assignment', { user_request: 'look', task_name: 'one' })
    await connection.next('task')
    expect(spies.map((spy) => spy.mock.calls.length)).toEqual([1, 1, 1])
    connection.socket.close()
    await running.logger.until('Retrying in 2s...')
    // The connection has ended, and so has the loop that receives from it.
    await device.client.receiveLoop()
  })

  it('is built without connecting [S-001]', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      let connections = 0
      server.on('connection', () => (connections += 1))
      const { port } = server.address() as AddressInfo
      const client = new UFOWebSocketClient({ wsUrl: `ws://127.0.0.1:${port}/ws`, ufoClient: engine() })
      await settle()
      // Connections are accepted in order, so one of the client's would have come before this one.
      await once(
        connect(port, '127.0.0.1')
          .on('error', () => {})
          .end(),
        'close',
      )
      expect(connections).toBe(1)
      expect(client.isConnected()).toBe(false)
    } finally {
      server.close()
    }
  })

  it('starts with the defaults of the seeds [S-002 S-003 S-004 S-090 S-275]', () => {
    const client = new UFOWebSocketClient({ wsUrl: 'ws://localhost:1/ws', ufoClient: engine() })
    expect(client).toMatchObject({
      maxRetries: 3,
      timeout: 120,
      retryCount: 0,
      sessionId: null,
      currentTask: null,
      connection: null,
    })
    expect(client.connectedEvent.isSet()).toBe(false)
    expect(client.isConnected()).toBe(false)
  })

  it('registers before anything else, with what the device is [S-006 S-015 S-016 S-017 S-018 S-019 S-020 S-022]', async () => {
    await using running = await online({ config: bare })
    const { registration, connection } = running
    expect(connection.url).toBe('/ws')
    expect(connection.frames[0]).toBe(registration)
    expect(registration).toMatchObject({ type: 'register', status: 'ok', client_type: 'device', client_id: 'lab-1' })
    const metadata = registration['metadata'] as Record<string, unknown>
    expect(metadata['registration_time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/)
    expect(metadata['aip']).toEqual({
      version: 1,
      max_frame: 8 * 1024 * 1024,
      features: ['cancel', 'progress', 'concurrent', 'info'],
    })
    expect(metadata['platform']).toBe({ linux: 'linux', win32: 'windows', darwin: 'linux' }[process.platform as string])
    expect(metadata['system_info']).toMatchObject({
      device_id: 'lab-1',
      platform: { linux: 'linux', win32: 'windows', darwin: 'darwin' }[process.platform as string],
      os_version: expect.any(String),
      cpu_count: expect.any(Number),
      memory_total_gb: expect.any(Number),
      hostname: expect.any(String),
      ip_address: expect.any(String),
      supported_features: expect.arrayContaining(['cli']),
      platform_type: 'computer',
      schema_version: '1.0',
      custom_metadata: {},
    })
  })

  it('sets the event and logs each step of a registration [S-023 S-024 S-025 S-026 S-036 S-088 S-089 S-090]', async () => {
    await using running = await dial({ config: bare })
    const connection = await running.server.connection()
    await connection.next('register')
    expect(running.device.client.isConnected()).toBe(false)
    expect(running.device.client.connectedEvent.isSet()).toBe(false)
    connection.send('register_confirm')
    await running.device.client.connectedEvent.wait()
    expect(running.device.client.isConnected()).toBe(true)
    const lines = running.logger.lines.filter((line) => line.includes('[AIP]'))
    expect(lines[0]).toMatch(/^info \[WS\] \[AIP\] Collected device info: platform=\w+, cpu=\d+, memory=[\d.]+GB$/)
    expect(lines.slice(1)).toEqual([
      'info [WS] [AIP] Attempting to register as lab-1',
      'info [WS] [AIP] ✅ Successfully registered as lab-1',
    ])
  })

  it('sends the token in a header, to a server that refuses that in the URL, and never logs it', async () => {
    await using running = await dial({ config: bare, token: 'k e&y', maxRetries: 1 }, { refuse: () => true })
    await running.device.done
    expect(running.logger.lines.join('\n')).toContain('[WS] Unexpected error: Failed to connect to')
    expect(running.logger.lines.join('\n')).not.toMatch(/k e|k\+e|k%20e|token/)
    await using accepting = await online({ config: bare, token: 'k e&y' })
    expect([accepting.connection.url, accepting.connection.headers.authorization]).toEqual(['/ws', 'Bearer k e&y'])
    // An existing server looks at the address alone; which one it is, the device remembers.
    const seen: string[] = []
    const refuse = ({ url = '' }: IncomingMessage): boolean => {
      seen.push(url)
      return !url.includes('token=')
    }
    await using existing = await online({ config: bare, token: 'k e&y' }, null, { refuse })
    expect(new URL(existing.connection.url, 'ws://x').searchParams.get('token')).toBe('k e&y')
    expect(existing.connection.headers.authorization).toBeUndefined()
    existing.connection.socket.terminate()
    await (await existing.server.connection()).accept()
    expect(seen.map((url) => url.includes('token='))).toEqual([false, true, true])
  })

  it('registers with the time alone when the device cannot describe itself [S-030]', async () => {
    await using server = await ScriptedServer.listen()
    const logger = new RecordingLogger()
    const collectInfo = (): never => {
      throw new Error('no /proc')
    }
    const client = new UFOWebSocketClient({ wsUrl: server.url, ufoClient: engine(), logger, collectInfo })
    const done = client.connectAndListen()
    const registration = await (await server.connection()).accept()
    expect(registration['metadata']).not.toHaveProperty('system_info')
    expect(registration['metadata']).toHaveProperty('registration_time')
    expect(logger.lines).toContain('error [WS] [AIP] Error collecting device info: no /proc')
    await client.stop()
    expect(await done).toBe('stopped')
  })

  it('tries again 2 s after a refusal, with fresh protocol objects [S-013 S-014 S-027 S-028 S-029 S-080 S-083]', async () => {
    const clock = new ManualClock()
    await using running = await dial({ config: bare, clock })
    const { server, device, logger } = running
    const first = await server.connection()
    await first.next('register')
    const parts = (): unknown[] => {
      const { transport, registration, heartbeat, tasks } = device.client.connection!
      return [transport, registration, heartbeat, tasks]
    }
    const before = parts()
    first.send('server_error', { error: "client_id 'lab-1' is already registered; duplicate registrations are not allowed" })
    await first.closed
    await logger.until('Retrying in 2s...')
    expect(logger.lines).toEqual(
      expect.arrayContaining([
        'error [WS] [AIP] ❌ Failed to register as lab-1',
        "error [WS] Server error: client_id 'lab-1' is already registered; duplicate registrations are not allowed",
        'error [WS] Unexpected error: Registration failed for lab-1',
        'info [WS] Retrying in 2s...',
      ]),
    )
    await clock.advance(1999)
    expect(server.attempts).toBe(1)
    await clock.advance(1)
    await (await server.connection()).accept()
    await device.registered
    for (const [index, part] of parts().entries()) {
      expect(part).toBeTruthy()
      expect(part).not.toBe(before[index])
    }
    expect(device.client.retryCount).toBe(0)
  })

  it('gives up on a server that does not answer a registration within 10 s [S-033]', async () => {
    const clock = new ManualClock()
    await using running = await dial({ config: bare, clock })
    const connection = await running.server.connection()
    await connection.next('register')
    await clock.advance(10_000)
    await connection.closed
    await running.logger.until('Retrying in 2s...')
    expect(running.logger.lines).toContain('error [WS] Unexpected error: Registration timed out after 10s')
  })

  it('waits 2, 4, 8 and 16 s between five attempts, then ends [S-079 S-080 S-084 S-085 S-086 S-087]', async () => {
    const clock = new ManualClock()
    await using running = await dial({ config: bare, clock, maxRetries: 5 }, { refuse: () => true })
    const { server, device, logger } = running
    for (const [index, seconds] of [2, 4, 8, 16].entries()) {
      await logger.until(`Retrying in ${seconds}s...`)
      expect(server.attempts).toBe(index + 1)
      await clock.advance(seconds * 1000 - 1)
      expect(server.attempts).toBe(index + 1)
      await clock.advance(1)
    }
    expect(await device.done).toBe('retries_spent')
    expect(server.attempts).toBe(5)
    expect(logger.lines.at(-1)).toBe('error [WS] Max retries reached. Exiting.')
    await expect(device.registered).rejects.toMatchObject({ code: 'REGISTRATION_FAILED' })
  })

  it('makes one attempt and does not wait with a limit of one [S-081]', async () => {
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port } = free.address() as { port: number }
    free.close()
    await once(free, 'close')
    const logger = new RecordingLogger()
    const device = startDevice({ serverUrl: `ws://127.0.0.1:${port}/ws`, clientId: 'lab-1', config: bare, maxRetries: 1, logger })
    expect(await device.done).toBe('retries_spent')
    expect(logger.lines.some((line) => line.includes('Retrying'))).toBe(false)
    expect(logger.lines.some((line) => /^error \[WS\] Unexpected error: .*ECONNREFUSED/.test(line))).toBe(true)
  })

  it('comes back after a drop, and counts from the start again [S-078 S-082 S-083 S-090 S-097 S-176]', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock })
    const { server, device, logger } = running
    let { connection } = running
    for (let drop = 1; drop <= 3; drop += 1) {
      await connection.run([], { session_id: `s${drop}` })
      expect(device.client.ufoClient).toMatchObject({ sessionId: `s${drop}`, agentName: 'LinuxAgent' })
      const retry = logger.until('Retrying in 2s...', true)
      const reset = logger.until('Client state has been reset.', true)
      connection.socket.close(1012, 'restart')
      await Promise.all([retry, reset])
      expect(logger.lines).toContain('error [WS] Connection closed: 1012 restart')
      expect(device.client.connectedEvent.isSet()).toBe(false)
      expect(device.client.isConnected()).toBe(false)
      expect(device.client.ufoClient).toMatchObject({ sessionId: null, agentName: null, processName: null, rootName: null })
      void clock.advance(2000)
      connection = await server.connection()
      await connection.accept()
      await device.client.connectedEvent.wait()
    }
  })

  it('beats every interval, the first after one, and continues while messages arrive [S-003 S-038 S-039 S-040 S-041 S-042 S-043 S-047]', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock, heartbeatS: 60 })
    const { connection, logger } = running
    await clock.advance(59_999)
    expect(connection.frames).toHaveLength(1)
    for (let beat = 1; beat <= 3; beat += 1) {
      await clock.advance(beat === 1 ? 1 : 60_000)
      const frame = await connection.next('heartbeat')
      expect(frame).toMatchObject({ type: 'heartbeat', client_id: 'lab-1', status: 'ok', timestamp: expect.any(String) })
      await connection.run([])
    }
    await logger.until('debug [WS] [AIP] Heartbeat sent')
  })

  it('beats every 30 s by default, and ends without throwing when it cannot [S-037 S-044 S-092]', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock })
    const loop = running.device.client.heartbeatLoop()
    await clock.advance(30_000)
    await running.connection.next('heartbeat')
    const dropped = running.logger.until('Connection closed')
    running.connection.socket.terminate()
    await dropped
    await clock.advance(30_000)
    await loop
    expect(running.logger.count('debug [WS] [AIP] Heartbeat failed (connection closed): ')).toBe(1)
  })

  it('routes heartbeats, errors and unknown types to the log alone [S-046 S-049 S-053 S-054 S-055 S-098]', async () => {
    await using running = await online({ config: bare })
    const { connection, logger } = running
    connection.send('heartbeat_ack')
    connection.send('server_error', { error: 'no such thing' })
    connection.send('device_info_query')
    await logger.until('warn [WS] Unknown message type: device_info_request')
    expect(logger.lines).toContain('info [WS] Heartbeat received')
    expect(logger.lines).toContain('error [WS] Server error: no such thing')
    expect(logger.count('info [WS] Received message: {"type":"heartbeat"')).toBe(1)
    await connection.run([])
    expect(connection.frames.map((frame) => frame['type'])).toEqual(['register', 'command_results'])
  })

  it('drops what it cannot read and continues [S-048 S-056 S-057]', async () => {
    await using running = await online({ config: bare })
    const { connection, logger } = running
    for (const frame of ['nonsense', '{"type":"command","status":"sideways"}', '{"type":"no_such_type"}'])
      connection.socket.send(frame)
    expect(await connection.run([{ tool_name: '' }])).toMatchObject([
      { status: 'success', result: 'No action taken.', error: '' },
    ])
    expect(logger.count('error [WS] Error handling message: Invalid message format')).toBe(3)
    expect(logger.count('Received message')).toBe(1)
  })

  it('logs an unexpected error with its stack, and continues [S-056 S-084 S-261]', async () => {
    await using running = await online({ config: bare })
    const { connection, device, logger } = running
    vi.spyOn(device.client, 'handleTaskEnd').mockImplementationOnce(() => {
      throw new TypeError('out of order')
    })
    connection.send('task_end', { session_id: 's1', status: 'completed' })
    await logger.until('Error handling message: out of order')
    expect(logger.lines).toContainEqual(expect.stringMatching(/^error TypeError: out of order\n +at .*client\.test\.ts/))
    expect(await connection.run([{ tool_name: '' }])).toMatchObject([{ status: 'success' }])
  })

  it('logs at most 500 characters of a message', async () => {
    await using running = await online({ config: bare })
    await running.connection.run([{ tool_name: '', parameters: { text: 'x'.repeat(100_000) } }])
    expect(Math.max(...running.logger.lines.map((line) => line.length))).toBeLessThan(600)
  })

  it('runs until it is stopped, with 1000, while connected and between attempts [S-005]', async () => {
    const running = await online({ config: bare })
    await running.connection.run([])
    expect(await Promise.race([running.device.done, Promise.resolve('still going on')])).toBe('still going on')
    await running.device.stop()
    expect(await running.connection.closed).toBe(1000)
    expect(await running.device.done).toBe('stopped')
    await running.server[Symbol.asyncDispose]()

    const waiting = await dial({ config: bare, clock: new ManualClock() }, { refuse: () => true })
    await waiting.logger.until('Retrying')
    await waiting.device.stop()
    expect(await waiting.device.done).toBe('stopped')
    await waiting.server[Symbol.asyncDispose]()
  })

  it('stops while it connects', async () => {
    // A server that takes the connection and says nothing.
    const mute = createServer().listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const { port } = mute.address() as { port: number }
    const device = startDevice({ serverUrl: `ws://127.0.0.1:${port}`, clientId: 'lab-1', config: bare })
    const [socket] = (await once(mute, 'connection')) as [Socket]
    await device.stop()
    expect(await device.done).toBe('stopped')
    socket.destroy()
    mute.close()
    await once(mute, 'close')
  })

  it('refuses a client id or a URL that cannot be one', () => {
    expect(() => startDevice({ serverUrl: 'ws://localhost', clientId: 'a b' })).toThrow(/client_id must be/)
    expect(() => startDevice({ serverUrl: 'localhost 5000', clientId: 'a' })).toThrow(/is not a URL/)
    expect(DEFAULT_DEVICE_CONFIG.shell).toBe('strict')
  })
})
