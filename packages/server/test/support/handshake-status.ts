import { WebSocket } from 'ws'

/** The HTTP status that a handshake is answered with. */
export function handshakeStatus(
  url: string,
  headers: Record<string, string> = {},
  localAddress?: string,
): Promise<number | undefined> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers, ...(localAddress === undefined ? {} : { localAddress }) })
  return new Promise((resolve) => {
    socket.on('error', () => {})
    socket.once('unexpected-response', (request, response) => {
      resolve(response.statusCode)
      request.destroy()
    })
    socket.once('open', () => {
      resolve(101)
      socket.close()
    })
  })
}
