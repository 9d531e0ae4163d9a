import { once } from 'node:events'
import { WebSocket } from 'ws'
import { DEVICE_KEY, OPERATOR_KEY, within, type Attack, type Field } from './attack.ts'
import { hostileFrame, type Json } from './hostile-values.ts'

const MESSAGES: readonly [Json, ...Json[]] = [
  { type: 'register', client_id: 'fuzz', client_type: 'device', metadata: { platform: 'linux', system_info: {} } },
  { type: 'heartbeat', status: 'ok', client_type: 'device' },
  {
    type: 'task',
    client_type: 'constellation',
    client_id: 'c',
    request: 'do it',
    target_id: 'fuzz',
    session_id: 's',
    request_id: 'r',
  },
  {
    type: 'command_results',
    session_id: 's',
    prev_response_id: 'r',
    action_results: [{ status: 'success', result: 1, call_id: 'c' }],
  },
  { type: 'device_info_request', client_type: 'constellation', target_id: 'fuzz', request_id: 'r' },
  { type: 'device_info_response', metadata: { mcp_servers: [], tools: [], hostname: 'h' } },
  { type: 'progress', session_id: 's', call_id: 'c', progress: 1, total: 2, message: 'm' },
  {
    type: 'ask',
    session_id: 's',
    ask_id: 'a',
    call_id: 'c',
    tool: 't',
    arguments_hash: 'h',
    summary: 's',
    expires_at: '2030-01-01',
  },
  { type: 'task_end', session_id: 's', status: 'completed' },
  { type: 'error', status: 'error', error: 'text' },
]
/** Frames of one round: below what makes the server slow a client down. */
const FRAMES = 60

/** Sends frames before the registration: the server must answer or close. */
export function framesBefore({ random, findings, server }: Field): Attack {
  return {
    async round() {
      const socket = await open(server.url, random.pick([DEVICE_KEY, OPERATOR_KEY]))
      const heard = Promise.race([once(socket, 'message'), once(socket, 'close')])
      const [register] = MESSAGES
      for (let count = 0; count < 5; count += 1) {
        socket.send(
          hostileFrame(
            random,
            random.chance(0.7) ? { ...register, client_id: `f${random.between(0, 50)}` } : random.pick(MESSAGES),
          ),
        )
        findings.tried('frames before the registration')
      }
      if ((await within(heard)) === undefined) findings.add('frames before the registration', 'neither an answer nor a close')
      await closed(socket)
    },
    end: () => Promise.resolve(),
  }
}

/** Sends frames after the registration; a heartbeat must still be answered, or the connection be closed for a reason. */
export function framesAfter({ random, findings, server }: Field): Attack {
  return {
    async round() {
      const type = random.pick(['device', 'constellation'])
      const socket = await open(server.url, OPERATOR_KEY)
      const aip = random.chance(0.5) ? { aip: { version: 1, features: ['journal', 'resume', 'ask', 'progress', 'files'] } } : {}
      const registered = once(socket, 'message')
      const metadata = { platform: 'linux', ...aip }
      socket.send(
        JSON.stringify({ type: 'register', client_id: `fuzz-${type}-${random.between(0, 9999)}`, client_type: type, metadata }),
      )
      await within(registered)
      const end = once(socket, 'close')
      for (let count = 0; count < FRAMES; count += 1) {
        if (socket.readyState !== WebSocket.OPEN) break
        socket.send(hostileFrame(random, random.pick(MESSAGES)), random.chance(0.05) ? { fin: false } : {})
        findings.tried('frames after the registration')
      }
      // An unfinished message swallows what comes after it, so this ends it.
      socket.send('', { fin: true })
      const answered = new Promise<true>((resolve) => {
        socket.on('message', (data: Buffer) => {
          const message = JSON.parse(data.toString()) as Json
          if (message['type'] === 'heartbeat' && message['status'] === 'ok') resolve(true)
        })
      })
      socket.send(JSON.stringify({ type: 'heartbeat', client_type: type }))
      if ((await within(Promise.race([answered, end]))) === undefined)
        findings.add('frames after the registration', 'a heartbeat was not answered')
      await closed(socket)
    },
    end: () => Promise.resolve(),
  }
}

async function open(url: string, key: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?token=${key}`, { perMessageDeflate: false })
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

async function closed(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return
  const end = once(socket, 'close')
  socket.terminate()
  await end
}
