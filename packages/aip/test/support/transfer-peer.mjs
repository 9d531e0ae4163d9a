// One end of a file transfer, from the sources of this package. `receive PATH` listens and prints {"url"}, `send PATH URL` dials.
// At the end both print {size, checksum, ms, grownBy, peakRss}, in bytes: what the process grew by since it was connected.
import { once } from 'node:events'
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context)
    } catch (error) {
      if (!specifier.endsWith('.js')) throw error
      return next(`${specifier.slice(0, -3)}.ts`, context)
    }
  },
})
const { WebSocketServer } = await import('ws')
const { AIPProtocol } = await import('../../src/protocol/aip-protocol.js')
const { WebSocketTransport } = await import('../../src/node/websocket-transport.js')
const { receiveFile, sendFile } = await import('../../src/node/file-transfer.js')
const [, , role, path, url] = process.argv

let before = 0
let most = 0
let start = 0
function begin() {
  before = process.memoryUsage.rss()
  start = performance.now()
}
function onProgress() {
  most = Math.max(most, process.memoryUsage.rss())
}
function report({ size, checksum }) {
  const ms = Math.round(performance.now() - start)
  print({ size, checksum, ms, grownBy: most - before, peakRss: process.resourceUsage().maxRSS * 1024 })
}
function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

if (role === 'receive') {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  server.once('listening', () => print({ url: `ws://127.0.0.1:${server.address().port}` }))
  const [socket] = await once(server, 'connection')
  const aip = new AIPProtocol(new WebSocketTransport(socket), { side: 'server' })
  begin()
  report(await receiveFile(aip, { path }, { onProgress }))
  await aip.close()
  server.close()
} else {
  const aip = new AIPProtocol(await WebSocketTransport.connect(url), { side: 'client' })
  begin()
  report(await sendFile(aip, path, { onProgress }))
  await aip.transport.closed
}
