// The least that a server can do: parse JSON, answer with a frame of 14 fields. Nothing is checked, nothing is kept.
import { WebSocketServer, type WebSocket } from 'ws'
import { answerQuestions, type CommandTimes } from './child.ts'

const BLANK = {
  type: 'heartbeat',
  status: 'ok',
  user_request: null,
  agent_name: null,
  process_name: null,
  root_name: null,
  actions: null,
  messages: null,
  error: null,
  session_id: null,
  task_name: null,
  timestamp: null,
  response_id: null,
  result: null,
}

const clients = new Map<string, WebSocket>()
const waiting = new Map<string, () => void>()
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', (socket) => {
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { type: string; client_id?: string; prev_response_id?: string }
    if (message.type === 'command_results') return waiting.get(message.prev_response_id ?? '')?.()
    if (message.type === 'register') clients.set(message.client_id ?? '', socket)
    socket.send(JSON.stringify({ ...BLANK, timestamp: new Date().toISOString(), response_id: crypto.randomUUID() }))
  })
})

async function commands(devices: string[], count: number): Promise<CommandTimes> {
  const each: number[] = []
  const begun = performance.now()
  await Promise.all(
    devices.map(async (device) => {
      for (let index = 0; index < count; index += 1) {
        const sent = performance.now()
        const id = crypto.randomUUID()
        const action = { tool_name: 'echo', parameters: { index }, tool_type: 'action', call_id: crypto.randomUUID() }
        const frame = {
          ...BLANK,
          type: 'command',
          status: 'continue',
          actions: [action],
          timestamp: new Date().toISOString(),
          response_id: id,
        }
        await new Promise<void>((resolve) => {
          waiting.set(id, resolve)
          clients.get(device)?.send(JSON.stringify(frame))
        })
        waiting.delete(id)
        each.push(performance.now() - sent)
      }
    }),
  )
  return { each, all: performance.now() - begun }
}

server.on('listening', () => {
  const address = server.address()
  answerQuestions(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`, commands)
})
