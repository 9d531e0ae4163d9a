import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { FrameWatch } from '../src/node/frame-watch.js'
import { SharedBudget } from '../src/node/shared-budget.js'
import { DEVICE_SOCKET, WebSocketTransport } from '../src/node/websocket-transport.js'

const KIB = 1024

describe('unfinished messages of several clients', () => {
  it('are bounded together: the client with the largest is closed', async () => {
    const clock = new ManualClock()
    const budget = new SharedBudget(500 * KIB)
    const server = createServer()
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
    server.on('upgrade', (request: IncomingMessage, stream, head) => {
      const socket = stream as Socket
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        new FrameWatch(new WebSocketTransport(webSocket, { ...DEVICE_SOCKET, clock }, socket), socket, clock, budget).registered()
      })
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const client = async (): Promise<WebSocket> => {
      const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
      await once(socket, 'open')
      return socket
    }
    const [whole, large, small] = [await client(), await client(), await client()]
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
    server.close()
  })
})
