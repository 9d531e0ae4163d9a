import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP proxy in front of a server. */
export interface CuttingProxy extends AsyncDisposable {
  url: string
  /** Stops passing anything on, without closing anything. */
  swallow(): void
  /** Passes on nothing more that the server says. */
  swallowAnswers(): void
  /** Cuts all connections; new ones may be made. */
  cut(): void
}

/** @param target `http://…` */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { port } = new URL(target)
  const sockets = new Set<Socket>()
  const upstreams = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), '127.0.0.1')
    upstreams.add(upstream)
    upstream.on('close', () => upstreams.delete(upstream))
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    client.pipe(upstream).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    swallowAnswers() {
      for (const upstream of upstreams) upstream.unpipe().resume()
    },
    swallow() {
      for (const socket of sockets) socket.unpipe().pause()
    },
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
