import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createLinkedTransports } from '@orrery/aip'
import { ClientConnectionManager, ConnectedPeers, SessionManager, UFOWebSocketHandler } from '@orrery/server'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { WireClient } from '../../../test/support/wire-client.js'

/** A handler on a WebSocket server of one's own, made as seed 002 shows. */
async function mounted(
  host: string,
  local: boolean,
): Promise<{ url: string; clientManager: ClientConnectionManager } & AsyncDisposable> {
  const clientManager = new ClientConnectionManager()
  const sessionManager = new SessionManager({ peers: new ConnectedPeers(clientManager) })
  const handler = new UFOWebSocketHandler({ clientManager, sessionManager, local })
  const sockets = new WebSocketServer({ host, port: 0 })
  sockets.on('connection', (socket) => void handler.handler(socket))
  await once(sockets, 'listening')
  return {
    url: `http://127.0.0.1:${(sockets.address() as AddressInfo).port}`,
    clientManager,
    async [Symbol.asyncDispose]() {
      await sessionManager.stop(false)
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
    },
  }
}

describe("a handler on a WebSocket server of one's own", () => {
  it('is made from client manager, session manager and a local flag, and serves devices and constellations [S-099 S-100 S-181 S-270]', async () => {
    await using server = await mounted('127.0.0.1', true)
    const device = await WireClient.register(server.url, '', { client_id: 'd1' })
    const constellation = await WireClient.register(server.url, '', {
      client_id: 'c1',
      client_type: 'constellation',
      target_id: 'd1',
    })
    expect(server.clientManager.listClients()).toEqual(['d1', 'c1'])
    const request = 'workflow:system-report'
    constellation.send({ type: 'task', client_type: 'constellation', target_id: 'd1', request, session_id: 's1' })
    expect(await constellation.next()).toMatchObject({ type: 'heartbeat', session_id: 's1' })
    expect(await device.next()).toMatchObject({ type: 'command', session_id: 's1' })
    device.terminate()
    expect(await constellation.next()).toMatchObject({ type: 'task_end', session_id: 's1', status: 'failed' })
    expect(server.clientManager.listClients()).toEqual(['c1'])
  })

  it('serves with the local flag only what comes from this machine, as far as it knows', async () => {
    const clientManager = new ClientConnectionManager()
    const sessionManager = new SessionManager({ peers: new ConnectedPeers(clientManager) })
    const [near, far] = createLinkedTransports()
    await new UFOWebSocketHandler({ clientManager, sessionManager, local: true }).handler(far)
    expect(await near.closed).toEqual({ code: 1008, reason: 'only connections from this machine are accepted' })
    await sessionManager.stop(false)
  })

  it('does not offer transfers of files, which only the port of a whole server takes', async () => {
    await using server = await mounted('127.0.0.1', false)
    const client = await WireClient.connect(server.url, '')
    client.send({ type: 'register', client_id: 'd1', metadata: { aip: { version: 1, features: ['files', 'cancel'] } } })
    expect(await client.next()).toMatchObject({ status: 'ok', result: { aip: { features: ['cancel'] } } })
  })
})
