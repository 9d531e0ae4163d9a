import { isIP, type Socket } from 'node:net'
import { TLSSocket, connect as connectSecurely, type ConnectionOptions } from 'node:tls'
import { messageOf } from '../define-errors.js'
import { openTunnel } from './proxy-tunnel.js'
import { proxyFor } from './proxy.js'
import { secured, tlsSettings, type ServerTrust } from './server-trust.js'

/** How `http.request` is given a connection that takes a while. */
type CreateConnection = (
  options: ConnectionOptions & { host?: string; port?: string | number },
  done: (error: Error | null, socket?: Socket) => void,
) => void

/**
 * What makes a WebSocket go through the proxy of its address, and check the certificate of its server; nothing where there is neither.
 * @throws AipError as {@link proxyFor} does
 */
export function dialConnection(
  url: string,
  trust: ServerTrust | undefined,
  signal: AbortSignal,
): { createConnection?: CreateConnection } {
  const proxy = proxyFor(url)
  const isSecure = url.startsWith('wss:')
  if (proxy === null && (trust === undefined || !isSecure)) return {}
  const open = async (options: Parameters<CreateConnection>[0]): Promise<Socket> => {
    const { host = '' } = options
    const port = Number(options.port)
    // The path is that of the request; here it would be that of a socket of the system.
    const tls = isSecure ? { ...options, host, port, path: undefined, ...tlsSettings(trust ?? {}) } : null
    const socket =
      proxy === null
        ? connectSecurely({ ...tls, servername: isIP(host) === 0 ? host : '' })
        : await openTunnel(proxy, { host, port, tls: tls && { ...tls, host: undefined, port: undefined } }, signal)
    return trust !== undefined && socket instanceof TLSSocket ? secured(socket, trust, signal) : socket
  }
  return { createConnection: (options, done) => void handOver(open(options), done) }
}

async function handOver(opening: Promise<Socket>, done: Parameters<CreateConnection>[1]): Promise<void> {
  const opened = await opening.catch((error: unknown) => (error instanceof Error ? error : new Error(messageOf(error))))
  if (opened instanceof Error) done(opened)
  else done(null, opened)
}
