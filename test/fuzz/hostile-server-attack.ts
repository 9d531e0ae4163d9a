import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { WebSocketServer, type WebSocket } from 'ws'
import { within, type Attack, type Field } from './attack.ts'
import { DeviceProcess } from './device-process.ts'
import { bytes, hostileFrame, hostileText, type Json } from './hostile-values.ts'

const KIND = 'hostile server'
const AIP = { version: 1, features: ['journal', 'resume', 'cancel', 'progress', 'ask', 'concurrent'], resume_token: 't' }
/** Tools that change nothing: what a server sends is run. */
const TOOLS = ['stat_file', 'list_tools', 'read_file', 'unknown', ''] as const

/** A server that says anything to a real device: the device stays, and still runs what it is asked. */
export async function hostileServer({ random, findings, folder }: Field): Promise<Attack> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await once(server, 'listening')
  const connections = connectionsOf(server)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const own = mkdtempSync(join(folder, 'device-'))
  const device = new DeviceProcess('server', findings, own, `http://127.0.0.1:${port}`, 'any', { policy: [] })
  let isFirst = true
  return {
    async round() {
      const connection = await within(connections.next())
      if (connection === undefined) return device.stopped ? undefined : findings.add(KIND, 'the device did not come back')
      const { socket, heard } = connection
      if ((await within(heard)) === undefined) findings.add(KIND, 'the device did not register')
      // A device that has never agreed on its return gives up after some attempts, as it should.
      if (isFirst || random.chance(0.8)) socket.send(JSON.stringify({ type: 'heartbeat', status: 'ok', result: { aip: AIP } }))
      isFirst = false
      for (let count = 0; count < 20 && socket.readyState === socket.OPEN; count += 1) {
        findings.tried('frames to a device')
        socket.send(hostileFrame(random, messageOf()), random.chance(0.03) ? { fin: false } : {})
      }
      const isOpen = await within(answersCommand(socket))
      if (isOpen === undefined) findings.add(KIND, 'a command was neither answered nor refused')
      if (random.chance(0.5))
        socket.close(random.pick([1000, 1001, 1008, 1011, 1012, 4000]), hostileText(random).slice(0, 20).toWellFormed())
      else socket.terminate()
    },
    async end() {
      await device.stop()
      for (const client of server.clients) client.terminate()
      server.close()
    },
  }

  function messageOf(): Json {
    const session = { session_id: hostileText(random).slice(0, 100), response_id: hostileText(random).slice(0, 100) }
    const actions = [{ tool_name: random.pick(TOOLS), parameters: { path: hostileText(random) }, call_id: hostileText(random) }]
    return random.pick<Json>([
      { type: 'command', status: 'continue', ...session, actions },
      { type: 'task', status: 'continue', ...session, user_request: hostileText(random), task_name: 'n' },
      { type: 'task_end', status: 'completed', ...session },
      { type: 'heartbeat', status: 'ok', ...session },
      { type: 'cancel', status: 'ok', ...session, target_response_id: 'x' },
      { type: 'results_ack', status: 'ok', ...session },
      { type: 'answer', status: 'ok', ...session, ask_id: 'a', decision: 'allow' },
      { type: 'device_info_request', status: 'ok', ...session },
      { type: 'error', status: 'error', error: bytes(random, 20).toString('latin1') },
    ])
  }

  /** Runs a valid command, if the connection is still open. @returns whether it was */
  async function answersCommand(socket: WebSocket): Promise<boolean> {
    const end = once(socket, 'close').then(() => false)
    // It ends a message that was begun.
    socket.send('', { fin: true })
    const id = crypto.randomUUID()
    const answered = new Promise<boolean>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as Json
        if (message['type'] === 'command_results' && message['prev_response_id'] === id) resolve(true)
      })
    })
    const actions = [{ tool_name: 'stat_file', tool_type: 'action', parameters: { path: '.' }, call_id: id }]
    // A concurrent read is run beside a session that a task of this server began.
    socket.send(
      JSON.stringify({ type: 'command', status: 'continue', session_id: id, response_id: id, concurrent: true, actions }),
    )
    return Promise.race([answered, end])
  }
}

/** A connection of the device, and its first message or its end. */
interface Connection {
  socket: WebSocket
  heard: Promise<unknown>
}

/** The connections of a server, one after the other. */
function connectionsOf(server: WebSocketServer): { next: () => Promise<Connection> } {
  const waiting: Connection[] = []
  let wake: (() => void) | null = null
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    waiting.push({ socket, heard: Promise.race([once(socket, 'message'), once(socket, 'close')]) })
    wake?.()
  })
  return {
    async next() {
      for (;;) {
        const connection = waiting.shift()
        if (connection !== undefined) return connection
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
