// The server's end of the protocol on a WebSocket server of your own: a port, a path and a check of keys that are yours alone.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConstellationClient } from '@orrery/constellation'
import { startDevice } from '@orrery/device'
import { ClientConnectionManager, ConnectedPeers, SessionManager, UFOWebSocketHandler } from '@orrery/server'
import { WebSocketServer } from 'ws'

const clientManager = new ClientConnectionManager()
const sessionManager = new SessionManager({ peers: new ConnectedPeers(clientManager) })
const handler = new UFOWebSocketHandler({ clientManager, sessionManager, local: true })

const sockets = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  path: '/ws',
  verifyClient: ({ req }: { req: IncomingMessage }) => req.url === '/ws?token=mine',
})
sockets.on('connection', (socket) => void handler.handler(socket))
await once(sockets, 'listening')

const server = `ws://127.0.0.1:${(sockets.address() as AddressInfo).port}/ws`
const device = startDevice({ serverUrl: server, token: 'mine', clientId: 'here' })
await device.registered
console.log('online:', clientManager.listClients())

const orchestrator = new ConstellationClient({ name: 'nightly', devices: [{ deviceId: 'here', server, apiKey: 'mine' }] })
await orchestrator.connect('here')
const { result } = await orchestrator.runTask('here', 'workflow:system-report').result
console.log(JSON.stringify(result).slice(0, 100))
assert.ok(result)

await orchestrator.close()
await device.stop()
await sessionManager.stop(false)
sockets.close()
