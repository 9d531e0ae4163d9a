import { once } from 'node:events'
import { WebSocket } from 'ws'
import { DEVICE_KEY, OPERATOR_KEY, type Attack, type Field } from './attack.ts'
import { hostileJson, hostileText, type Json } from './hostile-values.ts'

const KIND = 'hostile model'
const DEVICE = 'fuzz-model'
/** A session may take ten seconds, and its end a moment more on a busy machine; in milliseconds. */
const SESSION_TIME = 60_000

/** Requests in words to a server whose model answers anything, on a device that answers anything: every session ends. */
export async function hostileModel({ random, findings, server }: Field): Promise<Attack> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws?token=${DEVICE_KEY}`, { perMessageDeflate: false })
  socket.on('error', () => {})
  await once(socket, 'open')
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Json
    if (message['type'] !== 'command' || !Array.isArray(message['actions'])) return
    const results = message['actions'].map((action: Json) => ({
      status: random.pick(['success', 'failure']),
      result: hostileJson(random),
      call_id: action['call_id'],
    }))
    const answer = { session_id: message['session_id'], prev_response_id: message['response_id'], action_results: results }
    socket.send(JSON.stringify({ type: 'command_results', client_type: 'device', ...answer }))
  })
  socket.send(JSON.stringify({ type: 'register', client_id: DEVICE, client_type: 'device', metadata: { platform: 'linux' } }))
  return {
    async round() {
      findings.tried('requests in words')
      const begun = performance.now()
      const created = (await api('/api/sessions', {
        device_id: DEVICE,
        request: `do ${hostileText(random).slice(0, 1000)}`,
      })) as Json
      const id = created['run_id']
      if (typeof id !== 'string') return
      for (;;) {
        const session = (await api(`/api/sessions/${id}`)) as Json
        if (session['ended_at'] !== null) return
        if (performance.now() - begun > SESSION_TIME)
          return findings.add(KIND, `session ${id} has not ended: ${JSON.stringify(session)}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    async end() {
      const end = once(socket, 'close')
      socket.terminate()
      if (socket.readyState !== WebSocket.CLOSED) await end
    },
  }

  async function api(path: string, body?: object): Promise<unknown> {
    const headers = { 'x-api-key': OPERATOR_KEY, 'content-type': 'application/json' }
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await fetch(server.url + path, init)
    return response.json()
  }
}
