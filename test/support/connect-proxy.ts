import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

/** An HTTP proxy that leads everything to one port of this machine. */
export interface ConnectProxy extends AsyncDisposable {
  url: string
  port: number
  /** What it was asked to lead to, and with which authorization. */
  readonly asked: { target: string; authorization: string | undefined }[]
  /** Connections to it that are open. */
  readonly open: () => number
}

/** Starts a proxy. @param answer its status; `never` for one that says nothing */
export async function connectProxy(target: number, answer: number | 'never' = 200): Promise<ConnectProxy> {
  const asked: ConnectProxy['asked'] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const server = createServer((_, response) => response.writeHead(502).end()).on('connection', keep)
  server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    asked.push({ target: request.url ?? '', authorization: request.headers['proxy-authorization'] })
    if (answer === 'never') return void socket.on('end', () => socket.end()).resume()
    if (answer !== 200) return void socket.end(`HTTP/1.1 ${answer} No\r\nContent-Length: 0\r\n\r\n`)
    const out = connect(target, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      out.write(head)
      out.pipe(socket).pipe(out)
    })
    keep(out)
    out.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
