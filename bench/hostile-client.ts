// One hostile client, in a process of its own, so that it costs the ones that are measured nothing here: `flood`, `unread` or `huge`.
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { connectDevice } from './load.ts'

const [url = '', how] = process.argv.slice(2)
const HEARTBEAT = JSON.stringify({ type: 'heartbeat', status: 'ok', client_type: 'device' })
const MIB = 1024 * 1024
/** 50,000 heartbeats a second, in portions of ten milliseconds. */
const PORTION = 500
const PORTION_MS = 10

async function attack(): Promise<void> {
  const socket = await connectDevice(url, `hostile-${crypto.randomUUID()}`)
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  if (how === 'flood') {
    const timer = setInterval(() => {
      // Against a server that stops reading, waiting here would only be patience.
      if (socket.bufferedAmount < MIB) for (let count = 0; count < PORTION; count += 1) socket.send(HEARTBEAT)
    }, PORTION_MS)
    await closed
    clearInterval(timer)
  } else if (how === 'unread') {
    socket.pause()
    const large = JSON.stringify({ type: 'error', status: 'error', error: 'x'.repeat(4000) })
    const timer = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(large), PORTION_MS)
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 5000))])
    clearInterval(timer)
    socket.terminate()
  } else {
    const results = { type: 'command_results', session_id: 's', prev_response_id: 'r' }
    const result = { status: 'success', result: 'x'.repeat(99 * MIB), call_id: 'c' }
    socket.send(JSON.stringify({ ...results, client_type: 'device', action_results: [result] }))
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (socket.bufferedAmount > 0 && socket.readyState === WebSocket.OPEN) return
        clearInterval(timer)
        resolve()
      }, PORTION_MS)
    })
    socket.terminate()
  }
}

process.send?.('attacking')
for (;;) await attack()
