import { Socket } from 'node:net'
import { LIMITS, type Clock, type Transport } from '@orrery/aip'
import { DEVICE_SOCKET, WebSocketTransport } from '@orrery/aip/node'
import type { WebSocket } from 'ws'

/** Returns the transport over a WebSocket; a transport is returned as it is. */
export function transportOf(socket: Transport | WebSocket, clock: Clock): Transport {
  return isWebSocket(socket)
    ? new WebSocketTransport(socket, { ...DEVICE_SOCKET, clock, maxTextBytes: LIMITS.message }, tcpOf(socket))
    : socket
}

/** Returns whether a WebSocket comes from this machine; false if that is not known. */
export function isLocal(socket: Transport | WebSocket): boolean {
  const address = isWebSocket(socket) ? tcpOf(socket)?.remoteAddress : undefined
  return address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address)
}

function isWebSocket(socket: Transport | WebSocket): socket is WebSocket {
  return 'readyState' in socket
}

/** The TCP connection below a WebSocket of the package ws, which has no public name for it. */
function tcpOf(socket: WebSocket): Socket | null {
  const tcp: unknown = Reflect.get(socket, '_socket')
  return tcp instanceof Socket ? tcp : null
}
