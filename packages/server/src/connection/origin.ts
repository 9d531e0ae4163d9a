import type { IncomingMessage } from 'node:http'

/**
 * Returns whether a WebSocket may be opened from where the request says that it comes from. Only browsers say so; a page of another
 * site must not reach a server through its user's browser. On loopback the name in `Host` must be a local one too, because a name of
 * that site may lead here.
 * @param publicUrl under which browsers reach the server through a proxy
 */
export function isOwnOrigin({ headers, socket }: IncomingMessage, publicUrl: string | undefined): boolean {
  const { origin, host } = headers
  if (origin === undefined) return true
  const from = URL.parse(origin)
  if (from === null || !/^https?:$/.test(from.protocol)) return false
  if (publicUrl !== undefined && from.origin === URL.parse(publicUrl)?.origin) return true
  if (host === undefined || from.origin !== URL.parse(`${from.protocol}//${host}`)?.origin) return false
  return !isLoopback(socket.localAddress ?? '') || isLoopback(from.hostname.replace(/^\[|\]$/g, ''))
}

function isLoopback(name: string): boolean {
  return /^(?:::ffff:)?127\./.test(name) || name === '::1' || /(?:^|\.)localhost$/.test(name)
}
