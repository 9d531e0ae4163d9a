import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { LIMITS } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { withServers } from './support/config.js'
import { dial, online } from './support/running-device.js'
import { temporaryFolders } from './support/temporary.js'

const folder = temporaryFolders()

const bare = withServers({})

/** A certificate of 127.0.0.1 that signs itself. */
function selfSigned(): { cert: string; key: string } {
  const place = mkdtempSync(join(tmpdir(), 'orrery-'))
  const options = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=lab -keyout key -out cert'
  execFileSync('openssl', ['req', ...options.split(' '), '-addext', 'subjectAltName=IP:127.0.0.1'], {
    cwd: place,
    stdio: 'ignore',
  })
  const [cert, key] = ['cert', 'key'].map((name) => readFileSync(join(place, name), 'utf8'))
  rmSync(place, { recursive: true })
  return { cert: cert!, key: key! }
}

/** A heartbeat of exactly so many bytes. */
function frameOf(bytes: number): Buffer {
  const head = '{"type":"heartbeat","status":"ok","metadata":"'
  const frame = Buffer.alloc(bytes, 'x')
  frame.write(head)
  frame.write('"}', bytes - 2)
  return frame
}

describe('the connection of a device', () => {
  it('is pinged every 20 s [S-007]', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock })
    const { socket } = running.connection
    let pings = 0
    socket.on('ping', () => (pings += 1))
    await clock.advance(19_999)
    // What was sent before the answer to a command has come by then.
    await running.connection.run([])
    expect(pings).toBe(0)
    for (let round = 1; round <= 3; round += 1) {
      const ping = once(socket, 'ping')
      await clock.advance(round === 1 ? 1 : 20_000)
      await ping
      expect(pings).toBe(round)
    }
  })

  it('is given up after 180 s without a sign of life, not before [S-008]', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock, heartbeatS: 1000 }, null, { autoPong: false })
    await clock.advance(179_999)
    expect(running.device.client.isConnected()).toBe(true)
    await clock.advance(1)
    await running.logger.until('Retrying in 2s...')
    expect(running.logger.lines).toContain('error [WS] Connection closed: 1006')
  })

  it('waits 10 s for the end of the closing handshake [S-009]', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock })
    running.connection.socket.pause()
    const stopped = running.device.stop().then(() => 'stopped')
    await clock.advance(0)
    expect(clock.waits).toContain(10_000)
    await clock.advance(9999)
    expect(await Promise.race([stopped, Promise.resolve('waits')])).toBe('waits')
    await clock.advance(1)
    expect(await stopped).toBe('stopped')
  })

  it('takes a message of 100 MiB, and ends with 1009 at one byte more [S-010]', async () => {
    await using running = await online({ config: bare, clock: new ManualClock() })
    const { connection, logger } = running
    connection.socket.send(frameOf(LIMITS.frame), { binary: false })
    await logger.until('Heartbeat received')
    expect(LIMITS.frame).toBe(100 * 1024 * 1024)
    connection.socket.send(frameOf(LIMITS.frame + 1), { binary: false })
    expect(await connection.closed).toBe(1009)
    await logger.until('Retrying in 2s...')
  })

  it('ends, and is made again, when a heartbeat cannot be sent [S-044 S-045]', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock })
    running.device.client.connection!.heartbeat.sendHeartbeat = () => Promise.reject(new Error('cut off'))
    await clock.advance(120_000)
    await running.connection.closed
    await running.logger.until('Retrying in 2s...')
    expect(running.logger.lines).toContain('debug [WS] [AIP] Heartbeat failed (connection closed): cut off')
    void clock.advance(2000)
    await (await running.server.connection()).accept()
    await running.device.client.connectedEvent.wait()
  })

  it('gives up at once when a server of Orrery refuses the key, which it shows in no other way', async () => {
    const options = { config: bare, token: 'k', clock: new ManualClock(), maxRetries: 5 }
    const failed: unknown[] = []
    await using running = await dial(
      { ...options, onFailed: (error) => failed.push(error) },
      { refuse: () => true, name: 'Orrery' },
    )
    expect(await running.device.done).toBe('retries_spent')
    expect(running.server.attempts).toBe(1)
    expect(failed).toMatchObject([{ code: 'UNAUTHORIZED' }])
    expect(running.logger.lines).toContain('error [WS] The server refuses the key. Exiting.')
  })

  it('keeps trying where the server knows it, even if it is refused', async () => {
    const clock = new ManualClock()
    const journalPath = join(folder(), 'journal.db')
    let refused = false
    const agreed = { aip: { version: 1, features: ['journal', 'resume'], resume_token: 't1', session_id: null } }
    await using running = await online({ config: bare, token: 'k', clock, journalPath, persistent: true }, agreed, {
      refuse: () => refused,
      name: 'Orrery',
    })
    refused = true
    running.connection.socket.terminate()
    await running.logger.until('Retrying in')
    void clock.advance(5000)
    await expect.poll(() => running.logger.count('Retrying in')).toBeGreaterThan(1)
    refused = false
    let isBack = false
    const back = running.server.connection().finally(() => {
      isBack = true
    })
    const passing = async (): Promise<boolean> => {
      await clock.advance(1000)
      return isBack
    }
    await expect.poll(passing).toBe(true)
    expect((await (await back).accept(agreed))['type']).toBe('register')
  })

  it('waits at most an hour for the next attempt [S-079]', async () => {
    const clock = new ManualClock()
    await using running = await dial({ config: bare, clock, maxRetries: 14 }, { refuse: () => true })
    for (let failures = 1; failures <= 13; failures += 1) {
      const seconds = failures < 12 ? 2 ** failures : 3600
      await running.logger.until(`Retrying in ${seconds}s...`, failures === 13)
      if (failures < 12) expect(clock.waits).toContain(seconds * 1000)
      void clock.advance(seconds * 1000)
    }
    expect(await running.device.done).toBe('retries_spent')
    expect(running.logger.count('Retrying in 3600s...')).toBe(2)
  })

  it('may be encrypted, and is refused to a server without a trusted certificate [S-006]', async () => {
    const tls = selfSigned()
    await using stranger = await dial({ config: bare, maxRetries: 1 }, { tls })
    expect(await stranger.device.done).toBe('retries_spent')
    expect(stranger.logger.lines.join('\n')).toMatch(/Unexpected error: Failed to connect to wss:.*self-signed certificate/)
    const usual = getCACertificates('default')
    setDefaultCACertificates([...usual, tls.cert])
    try {
      await using running = await online({ config: bare }, null, { tls })
      expect(running.connection.url).toBe('/ws')
      expect(running.device.client.isConnected()).toBe(true)
    } finally {
      setDefaultCACertificates(usual)
    }
  })
})
