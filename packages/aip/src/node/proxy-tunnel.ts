import { request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { connect as connectSecurely, type ConnectionOptions } from 'node:tls'
import { messageOf } from '../define-errors.js'
import type { Proxy } from './proxy.js'

/** What a tunnel leads to. */
export interface TunnelEnd {
  host: string
  port: number
  /** Settings of the TLS connection inside of the tunnel; null for none. */
  tls: ConnectionOptions | null
}

/**
 * Opens a connection through a proxy (`CONNECT`, RFC 9110, 9.3.6).
 * @param signal ends the attempt; once the connection is there it does nothing
 * @throws Error that names the proxy, never its password
 */
export async function openTunnel(proxy: Proxy, { host, port, tls }: TunnelEnd, signal: AbortSignal): Promise<Socket> {
  const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  const socket = await connectProxy(proxy, target, signal)
  return tls === null ? socket : connectSecurely({ ...tls, socket, servername: tls.servername ?? (isIP(host) === 0 ? host : '') })
}

function connectProxy({ url, shown }: Proxy, target: string, signal: AbortSignal): Promise<Socket> {
  const { username, password, protocol, hostname, port } = url
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const authorization = `Basic ${Buffer.from(user).toString('base64')}`
  const request = (protocol === 'https:' ? requestSecure : requestPlain)({
    method: 'CONNECT',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    path: target,
    headers: { host: target, ...(username === '' ? {} : { 'proxy-authorization': authorization }) },
    agent: false,
  })
  return new Promise((resolve, reject) => {
    const abort = (): void => void request.destroy(new Error('it did not answer in time'))
    const fail = (what: string): void => {
      signal.removeEventListener('abort', abort)
      reject(new Error(`the proxy ${shown} ${what}`))
    }
    request.once('connect', ({ statusCode = 0 }, socket, head) => {
      if (statusCode >= 200 && statusCode < 300) {
        signal.removeEventListener('abort', abort)
        // What came with the answer is the beginning of what the server says.
        if (head.length > 0) socket.unshift(head)
        return resolve(socket)
      }
      socket.destroy()
      fail(
        statusCode === 407 ? 'asks for another user or password (407)' : `does not lead to ${target}: it answers ${statusCode}`,
      )
    })
    request.once('error', (error: Error) => fail(`cannot be used: ${messageOf(error)}`))
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    request.end()
  })
}
