import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { LIMITS } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient } from '../../../test/support/wire-client.js'
import { SERVER_LIMITS } from '../src/limits.js'
import { handshakeStatus } from './support/handshake-status.js'

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

/** A TCP connection that sends this and never closes its own half. */
async function raw({ url }: TestServer, text: string, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true, localAddress })
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

/** Settles when the server has let go of the connection altogether: nothing can be written to it. */
async function gone(socket: Socket): Promise<void> {
  if (socket.destroyed) return
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.resume()
  const writing = setInterval(() => socket.write('x'), 20)
  await closed
  clearInterval(writing)
}

describe('a connection without a right key', () => {
  it.each([
    ['without a key', '/ws'],
    ['with a wrong key', '/ws?token=wrong'],
    ['to a wrong path', `/other?token=${DEVICE_KEY}`],
    ['for an unknown file transfer', `/ws/transfers/x?token=${DEVICE_KEY}`],
  ])('is closed on both sides once its handshake %s is refused', async (_case, path) => {
    await using server = await startTestServer()
    const sockets = await Promise.all(
      Array.from({ length: 40 }, () => raw(server, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`)),
    )
    const [answer] = (await once(sockets[0] as Socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1.1 403 /)
    await Promise.all(sockets.map(gone))
  })

  it('makes room for the next from its address, so silent ones shut out no client', async () => {
    await using server = await startTestServer()
    const more = 50
    const silent: Socket[] = []
    for (let count = 0; count < SERVER_LIMITS.strangersPerAddress + more; count += 1) silent.push(await raw(server, ''))
    await Promise.all(silent.slice(0, more).map(gone))
    expect((await server.api('/healthz')).status).toBe(200)
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    // A client that has shown a key does not give way to strangers.
    for (let count = 0; count < SERVER_LIMITS.strangersPerAddress + more; count += 1) silent.push(await raw(server, ''))
    device.send({ type: 'heartbeat' })
    expect(await device.next()).toMatchObject({ type: 'heartbeat' })
    for (const socket of silent) socket.destroy()
  })
})

describe('clients that have not registered', () => {
  it('are refused above the number for one key and address, which leaves room for other keys and addresses', async () => {
    await using server = await startTestServer()
    const url = `${server.url}/ws?token=${DEVICE_KEY}`
    const open = await Promise.all(
      Array.from({ length: SERVER_LIMITS.unregisteredPerKeyAndAddress }, () => WireClient.connect(server.url, DEVICE_KEY)),
    )
    expect(await handshakeStatus(url)).toBe(503)
    expect(await handshakeStatus(url, {}, '127.0.0.2')).toBe(101)
    expect(await handshakeStatus(`${server.url}/ws?token=${OPERATOR_KEY}`)).toBe(101)
    for (const client of open) client.close()
    await Promise.all(open.map((client) => client.nextClose()))
    expect(await handshakeStatus(url)).toBe(101)
  })

  it('count until their connection is gone, which one that ignores the close is after a second', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const key = `GET /ws?token=${DEVICE_KEY} HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`
    const open = await Promise.all(
      Array.from({ length: SERVER_LIMITS.unregisteredPerKeyAndAddress }, async () => {
        const socket = await raw(server, key)
        await once(socket, 'data')
        return socket
      }),
    )
    await clock.advance(LIMITS.registrationTime)
    expect(await handshakeStatus(`${server.url}/ws?token=${DEVICE_KEY}`)).toBe(503)
    await clock.advance(LIMITS.refusedConnection)
    await Promise.all(open.map(gone))
    expect(await handshakeStatus(`${server.url}/ws?token=${DEVICE_KEY}`)).toBe(101)
  })
})

describe('an unfinished message', () => {
  it('ends its connection after 30 s without progress, also if pings come meanwhile', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const socket = await raw(server, `GET /ws?token=${DEVICE_KEY} HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`)
    await once(socket, 'data')
    const heard: Buffer[] = []
    socket.on('data', (data: Buffer) => heard.push(data))
    socket.write(frame(0x81, JSON.stringify({ type: 'register', client_id: 'd1', metadata: { platform: 'linux' } })))
    while (heard.length === 0) await new Promise((resolve) => setImmediate(resolve))
    heard.length = 0
    const pass = async (bytes: Buffer, ms: number): Promise<void> => {
      socket.write(bytes)
      await server.api('/healthz')
      await clock.advance(ms)
    }
    await pass(frame(0x01, '{"type":'), LIMITS.unfinishedMessage - 1)
    await pass(frame(0x00, '"heartbeat"'), LIMITS.unfinishedMessage - 1)
    expect(closeIn(heard)).toBeNull()
    await pass(frame(0x89, ''), LIMITS.unfinishedMessage)
    while (closeIn(heard) === null) await new Promise((resolve) => setImmediate(resolve))
    expect(closeIn(heard)).toBe('1008 unfinished message')
    await clock.advance(LIMITS.refusedConnection)
    await gone(socket)
  })

  it('is refused above 64 fragments', async () => {
    await using server = await startTestServer()
    const client = new WebSocket(`${server.url.replace('http', 'ws')}/ws?token=${DEVICE_KEY}`)
    await once(client, 'open')
    const closed = once(client, 'close')
    for (let count = 0; count <= LIMITS.fragments; count += 1) client.send(' ', { fin: false })
    expect((await closed)[0]).toBe(1008)
  })
})

describe('the origin of a handshake', () => {
  it.each([
    ['no origin', {}, 101],
    ['the own origin', { origin: 'http://HOST' }, 101],
    ['another site', { origin: 'https://site.example' }, 403],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
    ['no site at all', { origin: 'null' }, 403],
    ["the server's public address", { origin: 'https://orrery.example' }, 101],
    ['a foreign name that leads here', { origin: 'http://evil.example', host: 'evil.example' }, 403],
  ])('with %s', async (_case, given, status) => {
    await using server = await startTestServer({ publicUrl: 'https://orrery.example/' })
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, value.replace('HOST', new URL(server.url).host)]),
    )
    expect(await handshakeStatus(`${server.url}/ws?token=${DEVICE_KEY}`, headers)).toBe(status)
  })
})

describe('guessing a key', () => {
  const wrong = (server: TestServer, key: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${server.url}/api/devices`, { headers: { 'x-api-key': key, ...headers } })

  it('is answered with 429 after 20 different wrong keys in a minute, on HTTP and in handshakes; a right key never is', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    for (let count = 0; count < SERVER_LIMITS.wrongKeys; count += 1) {
      if (count % 2 === 0) expect((await wrong(server, `guess-${count}`)).status).toBe(401)
      else expect(await handshakeStatus(`${server.url}/ws?token=guess-${count}`)).toBe(403)
    }
    const refused = await wrong(server, 'one more')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
    expect(await refused.json()).toEqual({
      detail: 'Too many wrong keys from this address: try again in 60 s',
      code: 'TOO_MANY_WRONG_KEYS',
    })
    expect(await handshakeStatus(`${server.url}/ws?token=another`)).toBe(429)
    expect((await server.api('/api/devices')).status).toBe(200)
    expect(await handshakeStatus(`${server.url}/ws?token=${DEVICE_KEY}`)).toBe(101)
    expect(server.log.lines.filter((line) => line.includes('wrong keys'))).toEqual([
      'warn [WS] More than 20 different wrong keys from 127.0.0.1 within a minute: it has to wait',
    ])
    await clock.advance(SERVER_LIMITS.wrongKeysTime)
    expect((await wrong(server, 'one more')).status).toBe(401)
  })

  it('counts one wrong key once, and a missing one not at all', async () => {
    await using server = await startTestServer()
    for (let count = 0; count < 2 * SERVER_LIMITS.wrongKeys; count += 1) {
      expect((await wrong(server, 'an old key')).status).toBe(401)
      expect((await wrong(server, '')).status).toBe(401)
    }
  })

  it('counts the address that a trusted proxy names', async () => {
    await using server = await startTestServer({ trustedProxies: ['127.0.0.0/8', '10.1.1.1'] })
    const from = (address: string, key: string): Promise<Response> =>
      wrong(server, key, { 'x-forwarded-for': `1.1.1.1, ${address}, 10.1.1.1` })
    for (let count = 0; count < SERVER_LIMITS.wrongKeys; count += 1) await from('2001:db8::1', `guess-${count}`)
    // One customer has a network of 64 bits.
    expect((await from('2001:db8::2', 'one more')).status).toBe(429)
    expect((await from('2001:db8:0:1::2', 'one more')).status).toBe(401)
  })
})

/** A masked frame of a client. @param first its first byte: FIN and opcode */
function frame(first: number, text: string): Buffer {
  const payload = Buffer.from(text)
  const mask = Buffer.from([1, 2, 3, 4])
  const length =
    payload.length < 126 ? Buffer.from([0x80 | payload.length]) : Buffer.from([0xfe, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([Buffer.from([first]), length, mask, payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))])
}

/** The close frame in what a server sent, as code and reason. */
function closeIn(heard: readonly Buffer[]): string | null {
  const bytes = Buffer.concat(heard)
  for (let at = 0; at + 1 < bytes.length; at += 2 + ((bytes[at + 1] ?? 0) & 0x7f)) {
    if (bytes[at] === 0x88)
      return `${bytes.readUInt16BE(at + 2)} ${bytes.subarray(at + 4, at + 2 + (bytes[at + 1] ?? 0)).toString()}`
  }
  return null
}
