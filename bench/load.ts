import { WebSocket } from 'ws'

const REGISTER = {
  type: 'register',
  status: 'ok',
  client_type: 'device',
  metadata: { platform: 'linux', system_info: { platform: 'linux' } },
}

/** Opens a connection and registers. */
export async function connectDevice(url: string, id: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?token=device`, { perMessageDeflate: false })
  await once(socket, 'open')
  const confirmed = once(socket, 'message')
  socket.send(JSON.stringify({ ...REGISTER, client_id: id }))
  await confirmed
  return socket
}

/** Connections in groups, so that no server refuses for too many at once. */
export async function connectDevices(url: string, count: number): Promise<Map<string, WebSocket>> {
  const sockets = new Map<string, WebSocket>()
  for (let first = 0; first < count; first += 100) {
    const ids = Array.from({ length: Math.min(100, count - first) }, (_, index) => `device-${first + index}`)
    await Promise.all(ids.map(async (id) => sockets.set(id, await connectDevice(url, id))))
  }
  return sockets
}

export async function closeAll(sockets: Iterable<WebSocket>): Promise<void> {
  await Promise.all(
    [...sockets].map((socket) => {
      const closed = once(socket, 'close')
      socket.close()
      return closed
    }),
  )
}

/** A device that can resume: opens a connection and registers with its token. @returns it, and the token for the next time */
export async function returnDevice(
  url: string,
  id: string,
  token: string | null,
): Promise<{ socket: WebSocket; token: string | null }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?token=device`, { perMessageDeflate: false })
  await once(socket, 'open')
  const aip = { version: 1, features: ['journal', 'resume'], ...(token === null ? {} : { resume_token: token }) }
  const confirmed = new Promise<string>((resolve) => socket.once('message', (data: Buffer) => resolve(data.toString())))
  socket.send(JSON.stringify({ ...REGISTER, client_id: id, metadata: { ...REGISTER.metadata, aip } }))
  const { result } = JSON.parse(await confirmed) as { result: { aip?: { resume_token?: string } } | null }
  return { socket, token: result?.aip?.resume_token ?? null }
}

/** Sends a heartbeat and waits for the next message. @returns milliseconds */
export async function heartbeatOnce(socket: WebSocket): Promise<number> {
  const begun = performance.now()
  const answered = once(socket, 'message')
  socket.send(JSON.stringify({ type: 'heartbeat', status: 'ok', client_type: 'device', timestamp: new Date().toISOString() }))
  await answered
  return performance.now() - begun
}

/** Does something `count` times, in this many lanes at once. */
export async function inLanes(count: number, lanes: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let at = next++; at < count; at = next++) await work(at)
    }),
  )
}

/** Heartbeats a second: each connection sends the next when the last is answered. */
export async function heartbeatRate(sockets: Iterable<WebSocket>, ms: number): Promise<number> {
  let answered = 0
  const end = performance.now() + ms
  const begun = performance.now()
  await Promise.all(
    Array.from(sockets, (socket) => {
      const frame = JSON.stringify({
        type: 'heartbeat',
        status: 'ok',
        client_type: 'device',
        timestamp: new Date().toISOString(),
      })
      return new Promise<void>((resolve) => {
        const next = (): void => {
          answered += 1
          if (performance.now() < end) return socket.send(frame)
          socket.off('message', next)
          resolve()
        }
        socket.on('message', next)
        socket.send(frame)
      })
    }),
  )
  return (answered / (performance.now() - begun)) * 1000
}

/** Registrations a second: connect, register, close, on several lanes. */
export async function registrationRate(url: string, ms: number): Promise<number> {
  let done = 0
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: 8 }, async (_, lane) => {
      for (let turn = 0; performance.now() - begun < ms; turn += 1) {
        await closeAll([await connectDevice(url, `lane-${lane}-${turn}`)])
        done += 1
      }
    }),
  )
  return (done / (performance.now() - begun)) * 1000
}

/** Answers every command at once, with this result. */
export function answerCommands(socket: WebSocket, result: unknown = 'ok'): void {
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as {
      type: string
      session_id: string
      response_id: string
      actions: { call_id: string }[]
    }
    if (message.type !== 'command') return
    const results = message.actions.map((action) => ({
      status: 'success',
      error: null,
      result,
      namespace: 'Bench',
      call_id: action.call_id,
    }))
    socket.send(
      JSON.stringify({
        type: 'command_results',
        status: 'continue',
        client_type: 'device',
        session_id: message.session_id,
        action_results: results,
        prev_response_id: message.response_id,
      }),
    )
  })
}

function once(socket: WebSocket, event: 'open' | 'message' | 'close'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once(event, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}
