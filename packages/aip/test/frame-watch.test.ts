import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { LIMITS } from '../src/limits.js'
import { FrameWatch } from '../src/node/frame-watch.js'
import { SharedBudget } from '../src/node/shared-budget.js'
import { DEVICE_SOCKET } from '../src/node/websocket-settings.js'
import { WebSocketTransport } from '../src/node/websocket-transport.js'

const KIB = 1024

/** A server that hands each WebSocket on with the connection below it. */
async function serve(
  accept: (webSocket: WebSocket, socket: Socket) => void,
): Promise<AsyncDisposable & { client(): Promise<WebSocket> }> {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  server.on('upgrade', (request: IncomingMessage, stream, head) => {
    const socket = stream as Socket
    sockets.handleUpgrade(request, socket, head, (webSocket) => accept(webSocket, socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    async client() {
      const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
      await once(socket, 'open')
      return socket
    },
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('a large message', () => {
  it('is read no further while its sender has sent too much', async () => {
    const clock = new ManualClock()
    const spent: number[] = []
    const spend = (bytes: number): number => (spent.push(bytes) === 3 ? 1000 : 0)
    const delivered: number[] = []
    let rests = (): boolean => false
    await using server = await serve((webSocket, socket) => {
      const transport = new WebSocketTransport(webSocket, { ...DEVICE_SOCKET, clock }, socket)
      new FrameWatch(transport, socket, clock, new SharedBudget(Infinity), spend).registered()
      void transport.deliverTo((message) => delivered.push(message.length))
      rests = () => webSocket.isPaused
    })
    const client = await server.client()
    client.send('small')
    client.send('x'.repeat(LIMITS.largeMessage + 4096 * KIB))
    while (!rests()) await new Promise((resolve) => setImmediate(resolve))
    expect(delivered).toEqual([5])
    await clock.advance(999)
    expect(rests()).toBe(true)
    await clock.advance(1)
    while (delivered.length < 2) await new Promise((resolve) => setImmediate(resolve))
    const sum = spent.reduce((all, bytes) => all + bytes, 0)
    expect(sum).toBeGreaterThan(3000 * KIB)
    expect(sum).toBeLessThanOrEqual(4096 * KIB)
    client.terminate()
  })
})

describe('unfinished messages of several clients', () => {
  it('are bounded together: the client with the largest is closed', async () => {
    const clock = new ManualClock()
    const budget = new SharedBudget(500 * KIB)
    await using server = await serve((webSocket, socket) => {
      new FrameWatch(new WebSocketTransport(webSocket, { ...DEVICE_SOCKET, clock }, socket), socket, clock, budget).registered()
    })
    const [whole, large, small] = [await server.client(), await server.client(), await server.client()]
    const closed = Promise.race([
      once(whole, 'close').then(() => 'whole'),
      once(small, 'close').then(() => 'small'),
      once(large, 'close').then(([code]) => `large, ${code}`),
    ])
    // Messages that end do not count, however many there are.
    for (let count = 0; count < 5; count += 1) whole.send('x'.repeat(200 * KIB))
    whole.ping()
    await once(whole, 'pong')
    large.send('x'.repeat(300 * KIB), { fin: false })
    small.send('x'.repeat(150 * KIB), { fin: false })
    small.send('x'.repeat(100 * KIB), { fin: false })
    expect(await closed).toBe('large, 1013')
    expect([whole.readyState, small.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN])
    for (const socket of [whole, small]) socket.terminate()
  })
})
