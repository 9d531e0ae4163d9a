import { execFileSync } from 'node:child_process'
import { getEventListeners, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { LIMITS } from '../src/limits.js'
import { CONSTELLATION_SOCKET, DEVICE_SOCKET } from '../src/node/websocket-settings.js'
import { WebSocketTransport } from '../src/node/websocket-transport.js'
import { connectBare, connectTransports, listen } from './support/sockets.js'
import { temporaryFolder } from './support/temporary.js'

const MIB = 1024 * 1024

describe('a WebSocket transport', () => {
  it('wraps a socket that exists: sends and receives text and bytes, in order [S-096]', async () => {
    await using connection = await connectBare()
    const { transport, peer } = connection
    const arrived: string[] = []
    peer.on('message', (data: Buffer, isBinary) => arrived.push(`${isBinary ? 'bytes' : 'text'} ${data.toString()}`))
    peer.send('größer')
    peer.send(Buffer.from([1, 2]))
    peer.send('')
    expect(await transport.receive()).toBe('größer')
    expect(await transport.receive()).toEqual(Buffer.from([1, 2]))
    expect(await transport.receive()).toBe('')
    const last = once(peer, 'message')
    void transport.send('a')
    void transport.send(new Uint8Array([98]))
    await transport.send('c')
    await last
    while (arrived.length < 3) await once(peer, 'message')
    expect(arrived).toEqual(['text a', 'bytes b', 'text c'])
  })

  it('sends only while it is connected [S-255]', async () => {
    await using listener = await listen()
    const transport = new WebSocketTransport(new WebSocket(listener.url))
    expect(transport.state).toBe('connecting')
    await expect(transport.send('x')).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
    const peer = await listener.accept()
    peer.send('hello')
    await transport.receive()
    expect(transport.state).toBe('connected')
    await transport.send('x')
    const closing = transport.close()
    expect(transport.state).toBe('disconnecting')
    await expect(transport.send('x')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    await closing
    expect(transport.state).toBe('disconnected')
    await expect(transport.send('x')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  it.each(['near', 'far'] as const)('closed by the %s end tells both ends the code, and settles what waits', async (end) => {
    await using connection = await connectTransports()
    const { near, far } = connection
    const waiting = Promise.allSettled([near.receive(), far.receive()])
    await connection[end].close(4001, 'a reason')
    expect(await Promise.all([near.closed, far.closed])).toEqual([
      { code: 4001, reason: 'a reason' },
      { code: 4001, reason: 'a reason' },
    ])
    for (const outcome of await waiting)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CONNECTION_CLOSED' } })
    await near.close()
    near.terminate()
    await expect(near.receive()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  it('closes also with a reason that is too long for a close frame, cut at a character', async () => {
    await using connection = await connectTransports()
    await connection.near.close(1008, 'é'.repeat(100))
    expect(await connection.far.closed).toEqual({ code: 1008, reason: 'é'.repeat(61) })
  })

  it('gives the frames that came before the close', async () => {
    await using connection = await connectBare()
    connection.peer.send('1')
    connection.peer.send('2')
    connection.peer.close()
    await connection.transport.closed
    expect([await connection.transport.receive(), await connection.transport.receive()]).toEqual(['1', '2'])
    await expect(connection.transport.receive()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  it('terminated is closed with 1006, at both ends', async () => {
    await using connection = await connectTransports()
    connection.near.terminate()
    expect(await connection.near.closed).toMatchObject({ code: 1006 })
    expect(await connection.far.closed).toMatchObject({ code: 1006 })
  })

  it('leaves no timer behind', async () => {
    const clock = new ManualClock()
    await using connection = await connectBare({ clock })
    expect(clock.pending).toBe(1)
    await connection.transport.close()
    expect(clock.pending).toBe(0)
  })

  it('gives up a closing handshake after 10 s [S-009]', async () => {
    const clock = new ManualClock()
    await using connection = await connectBare({ clock })
    const { transport, peer } = connection
    peer.pause()
    let closed = false
    const closing = transport.close().then(() => (closed = true))
    await clock.advance(9_999)
    expect(closed).toBe(false)
    await clock.advance(1)
    await closing
    expect(await transport.closed).toMatchObject({ code: 1006 })
    expect(clock.pending).toBe(0)
  })
})

describe('pings', () => {
  it('have the settings of the seeds', () => {
    expect(DEVICE_SOCKET).toMatchObject({
      pingIntervalMs: 20_000,
      pongTimeoutMs: 180_000,
      closeTimeoutMs: 10_000,
      maxFrameBytes: 104_857_600,
    })
    expect(CONSTELLATION_SOCKET).toMatchObject({ pingIntervalMs: 30_000, pongTimeoutMs: 180_000, closeTimeoutMs: 10_000 })
  })

  it('go out every 20 s, and an answer keeps the connection [S-007]', async () => {
    const clock = new ManualClock()
    await using connection = await connectBare({ clock })
    let pings = 0
    connection.peer.on('ping', () => (pings += 1))
    for (let round = 1; round <= 30; round += 1) {
      expect(clock.waits).toEqual([20_000])
      const answered = once(connection.socket, 'pong')
      await clock.advance(20_000)
      await answered
      expect(pings).toBe(round)
    }
    expect(connection.transport.state).toBe('connected')
  })

  it('without any answer end the connection after 180 s, not before [S-008]', async () => {
    const clock = new ManualClock()
    await using connection = await connectBare({ clock }, { autoPong: false })
    let closed = false
    void connection.transport.closed.then(() => (closed = true))
    await clock.advance(179_999)
    expect(closed).toBe(false)
    expect(connection.transport.state).toBe('connected')
    await clock.advance(1)
    expect(await connection.transport.closed).toMatchObject({ code: 1006 })
    expect(clock.pending).toBe(0)
  })

  it.each([
    { pingIntervalMs: 30_000, pongTimeoutMs: 30_000, dead: 60_000 },
    { pingIntervalMs: 60_000, pongTimeoutMs: 30_000, dead: 90_000 },
  ])(
    'every $pingIntervalMs ms with a timeout of $pongTimeoutMs ms are answered before anybody is called dead',
    async (settings) => {
      const clock = new ManualClock()
      await using connection = await connectBare({ ...settings, clock })
      for (let round = 0; round < 5; round += 1) {
        const answered = once(connection.socket, 'pong')
        await clock.advance(settings.pingIntervalMs)
        await answered
      }
      expect(connection.transport.state).toBe('connected')

      await using silent = await connectBare({ ...settings, clock }, { autoPong: false })
      await clock.advance(settings.dead - 1)
      expect(silent.transport.state).toBe('connected')
      await clock.advance(1)
      expect(await silent.transport.closed).toMatchObject({ code: 1006 })
    },
  )

  it('count any message as an answer: 180 s from the last one', async () => {
    const clock = new ManualClock()
    await using connection = await connectBare({ clock }, { autoPong: false })
    await clock.advance(175_000)
    connection.peer.send('still here')
    await connection.transport.receive()
    await clock.advance(179_999)
    expect(connection.socket.readyState).toBe(WebSocket.OPEN)
    await clock.advance(1)
    await connection.transport.closed
    expect(clock.now() - Date.UTC(2026, 0, 1)).toBe(355_000)
  })

  it('do not end a connection on which a large message is still coming', async () => {
    const clock = new ManualClock()
    await using listener = await listen({ autoPong: false })
    const near = await WebSocketTransport.connect(listener.url, { clock })
    const peer = await listener.accept()
    for (let part = 0; part < 10; part += 1) {
      peer.send('x', { fin: false })
      const arrived = once(peer, 'pong')
      peer.ping()
      await arrived
      await clock.advance(100_000)
    }
    expect(near.state).toBe('connected')
    peer.send('x', { fin: true })
    expect(await near.receive()).toBe('x'.repeat(11))
    await clock.advance(180_000)
    expect(await near.closed).toMatchObject({ code: 1006 })
  })

  it('do not end a connection because this process was held up and has not read the answers yet', async () => {
    let now = 0
    let fire = (): void => {}
    const after = (_ms: number, callback: () => void) => ((fire = callback), { cancel: () => {} })
    const clock = { now: () => now, after, wake: after }
    await using connection = await connectBare({ clock }, { autoPong: false })
    for (now = 20_000; now <= 160_000; now += 20_000) fire()
    now = 1_000_000
    fire()
    expect(connection.socket.readyState).toBe(WebSocket.OPEN)
    for (let ping = 0; ping < 9; ping += 1) {
      now += 20_000
      fire()
    }
    expect(await connection.transport.closed).toMatchObject({ code: 1006 })
  })

  it('do not end a connection whose receiver is the slow one', async () => {
    const clock = new ManualClock()
    await using connection = await connectBare({ clock }, { autoPong: false })
    const { transport, socket, peer } = connection
    const paused = pauseOf(socket)
    for (let frame = 0; frame < LIMITS.waitingFrames; frame += 1) peer.send('x')
    await paused
    await clock.advance(1_000_000)
    expect(transport.state).toBe('connected')
    for (let frame = 0; frame < LIMITS.waitingFrames; frame += 1) expect(await transport.receive()).toBe('x')
    // From now on it is as any other connection.
    await clock.advance(179_999)
    expect(transport.state).toBe('connected')
    await clock.advance(1)
    await transport.closed
  })
})

/** Settles when a socket is paused. */
function pauseOf(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const pause = socket.pause.bind(socket)
    socket.pause = () => {
      pause()
      resolve()
    }
  })
}

describe('large and slow', () => {
  it('a frame of 100 MiB is taken, one byte more closes with 1009 [S-010]', async () => {
    await using listener = await listen({ maxPayload: 0 })
    const transport = await WebSocketTransport.connect(listener.url)
    const peer = await listener.accept()
    const data = Buffer.alloc(100 * MIB + 1, 'a')
    peer.send(data.subarray(1), { binary: false })
    const received = await transport.receive()
    expect(typeof received).toBe('string')
    expect(received.length).toBe(100 * MIB)
    const closed = once(peer, 'close') as Promise<[number]>
    peer.send(data, { binary: false })
    await expect(transport.receive()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    expect((await closed)[0]).toBe(1009)
    await expect(transport.send('x')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  it('a slow receiver pauses the socket at 16 MiB, and all arrives when it continues', async () => {
    await using connection = await connectBare()
    const { transport, socket, peer } = connection
    const paused = pauseOf(socket)
    const chunk = Buffer.alloc(MIB)
    const chunks = 64
    let flushed = 0
    for (let sent = 0; sent < chunks; sent += 1) {
      chunk[0] = sent
      peer.send(Buffer.from(chunk), () => (flushed += 1))
    }
    await paused
    // What the sender could get rid of lies here and in the buffers of the system; the rest is still its own.
    expect(peer.bufferedAmount).toBeGreaterThan(MIB)
    expect(flushed).toBeLessThan(chunks)
    for (let taken = 0; taken < chunks; taken += 1) {
      const frame = await transport.receive()
      expect(frame).toHaveLength(MIB)
      expect(frame[0]).toBe(taken)
    }
    expect(socket.isPaused).toBe(false)
  })

  it('a slow receiver pauses the socket at 256 frames', async () => {
    await using connection = await connectBare()
    const { transport, socket, peer } = connection
    const paused = pauseOf(socket)
    for (let frame = 0; frame < LIMITS.waitingFrames; frame += 1) peer.send(String(frame))
    await paused
    expect(socket.isPaused).toBe(true)
    expect(await transport.receive()).toBe('0')
    expect(socket.isPaused).toBe(false)
  })

  it('a paused socket can still be closed', async () => {
    await using connection = await connectBare()
    const paused = pauseOf(connection.socket)
    for (let frame = 0; frame < 2 * LIMITS.waitingFrames; frame += 1) connection.peer.send('x')
    await paused
    await connection.transport.close(1001)
    expect(await connection.transport.closed).toMatchObject({ code: 1001 })
  })

  it('a peer that does not take its data is closed with 1013', async () => {
    await using connection = await connectBare({ maxUnsentBytes: 4 * MIB })
    const { transport, peer } = connection
    peer.pause()
    const outcomes: Promise<unknown>[] = []
    const chunk = new Uint8Array(MIB)
    while (transport.state === 'connected') outcomes.push(transport.send(chunk).catch((error: unknown) => error))
    expect(await outcomes.at(-1)).toMatchObject({
      code: 'SEND_FAILED',
      message: 'Failed to send data: the peer takes its data too slowly',
    })
    await expect(transport.send('x')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    const closed = once(peer, 'close')
    peer.resume()
    const [code, reason] = (await closed) as [number, Buffer]
    expect([code, reason.toString()]).toEqual([1013, 'too much unsent data'])
    expect(await Promise.all(outcomes.slice(0, -1))).toEqual(outcomes.slice(0, -1).map(() => undefined))
  })

  it('a peer that never takes its data is dropped after the close timeout, and every send settles', async () => {
    const clock = new ManualClock()
    await using connection = await connectBare({ maxUnsentBytes: 16 * MIB, clock })
    const { transport, peer } = connection
    peer.pause()
    const outcomes: Promise<unknown>[] = []
    while (transport.state === 'connected') outcomes.push(transport.send(new Uint8Array(MIB)).catch((error: unknown) => error))
    await clock.advance(10_000)
    await transport.closed
    for (const outcome of await Promise.all(outcomes)) {
      if (outcome !== undefined) expect(outcome).toMatchObject({ code: 'SEND_FAILED' })
    }
    expect(await outcomes.at(-2)).toMatchObject({ code: 'SEND_FAILED' })
  })
})

/** A server of any kind on a free port, closed with its connections. */
async function serve(server: ReturnType<typeof createTcpServer> | HttpServer): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function freePort(): Promise<number> {
  const server = await serve(createTcpServer())
  await server[Symbol.asyncDispose]()
  return server.port
}

describe('connecting', () => {
  it('sends the headers that are given', async () => {
    let authorization: string | undefined
    await using listener = await listen({
      verifyClient: ({ req }: { req: IncomingMessage }) => {
        authorization = req.headers.authorization
        return true
      },
    })
    const transport = await WebSocketTransport.connect(listener.url, { headers: { authorization: 'Bearer key' } })
    expect(authorization).toBe('Bearer key')
    expect(transport.state).toBe('connected')
  })

  it('that is refused says so', async () => {
    const port = await freePort()
    await expect(WebSocketTransport.connect(`ws://127.0.0.1:${port}/ws`)).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringMatching(`^Failed to connect to ws://127.0.0.1:${port}/ws: .*ECONNREFUSED`) as unknown,
    })
  })

  it.each([
    [401, 'UNAUTHORIZED'],
    [403, 'UNAUTHORIZED'],
    [503, 'CONNECT_FAILED'],
  ])('that is answered with HTTP %d tells the status, as %s', async (status, code) => {
    const http = createHttpServer()
    http.on('upgrade', (_, socket) => socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\n\r\n`))
    await using server = await serve(http)
    await expect(WebSocketTransport.connect(`ws://127.0.0.1:${server.port}/ws`)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(String(status)) as unknown,
    })
  })

  it('to a peer that hangs up says so', async () => {
    await using server = await serve(createTcpServer((socket) => socket.destroy()))
    await expect(WebSocketTransport.connect(`ws://127.0.0.1:${server.port}/ws`)).rejects.toMatchObject({ code: 'CONNECT_FAILED' })
  })

  it.each([
    ['', 'Invalid URL'],
    ['nonsense', 'Invalid URL'],
    ['ftp://host/ws', 'protocol'],
    ['ws://host/#part', 'fragment'],
  ])('to %j is a rejection: %s', async (url, text) => {
    await expect(WebSocketTransport.connect(url)).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringContaining(text) as unknown,
    })
  })

  it.each([
    ['refused', 'ws://127.0.0.1:PORT/ws?token=SECRET'],
    ['several', 'ws://127.0.0.1:PORT/ws?a=1&token=SECRET&b=2'],
    ['a password', 'ws://user:SECRET@127.0.0.1:PORT/ws'],
    ['not a URL', 'nonsense?token=SECRET'],
    ['a host that cannot be', 'ws://bad host/ws?token=SECRET'],
    ['another scheme', 'ftp://host/ws?token=SECRET'],
    ['a fragment', 'ws://host/ws?token=SECRET#part'],
    ['a line break', 'ws://bad host/ws?token=\nSECRET'],
  ])('never shows the key of the URL: %s', async (_, url) => {
    const failed = WebSocketTransport.connect(url.replace('PORT', String(await freePort())))
    await expect(failed).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.not.stringContaining('SECRET') as unknown,
    })
  })

  it('ends when its signal is aborted, before or while it waits', async () => {
    await using server = await serve(createTcpServer())
    const url = `ws://127.0.0.1:${server.port}/ws`
    const clock = new ManualClock()
    await expect(WebSocketTransport.connect(url, { signal: AbortSignal.abort(), clock })).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
    })
    const controller = new AbortController()
    const connecting = WebSocketTransport.connect(url, { signal: controller.signal, clock })
    controller.abort()
    await expect(connecting).rejects.toMatchObject({ code: 'CONNECT_FAILED' })
  })

  it('leaves nothing on its signal, and no timer when it fails', async () => {
    await using listener = await listen()
    const clock = new ManualClock()
    const { signal } = new AbortController()
    const transport = await WebSocketTransport.connect(listener.url, { signal, clock })
    await transport.close()
    const refused = `ws://127.0.0.1:${await freePort()}/ws`
    await WebSocketTransport.connect(refused, { signal, clock }).catch(() => {})
    await new Promise((resolve) => setImmediate(resolve))
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('once done is not undone by its signal', async () => {
    await using listener = await listen()
    const controller = new AbortController()
    const transport = await WebSocketTransport.connect(listener.url, { signal: controller.signal })
    const peer = await listener.accept()
    controller.abort()
    peer.send('still here')
    expect(await transport.receive()).toBe('still here')
  })
})

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!hasOpenssl())('TLS', () => {
  it('refuses a certificate without a trusted authority, and accepts one with it', async () => {
    await using folder = await temporaryFolder()
    const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '1', ...curve, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    })
    const https = createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) })
    await using _ = await serve(https)
    await using listener = await listen({ server: https }, 'wss')
    await expect(WebSocketTransport.connect(`${listener.url}?token=SECRET`)).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringMatching(/^Failed to connect to wss:[^?]*certificate/) as unknown,
    })
    const transport = new WebSocketTransport(new WebSocket(listener.url, { ca: readFileSync(cert) }))
    const peer = await listener.accept()
    peer.send('over TLS')
    expect(await transport.receive()).toBe('over TLS')
    await transport.close()
  })
})
