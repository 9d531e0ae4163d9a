import { WebSocket } from 'ws'

const FEATURES = ['journal', 'resume', 'cancel', 'progress']

/**
 * Registers under the id of a device without its token, answers whatever comes with forged results, and leaves.
 * @param url of the server, with the key @param ms how long it stays
 * @param letIn called when it is let in, which happens only before the device has a token
 */
export async function intrude(url: string, deviceId: string, ms: number, letIn: () => void): Promise<void> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  const send = (message: Record<string, unknown>): void =>
    socket.send(JSON.stringify({ status: 'ok', client_type: 'device', client_id: deviceId, ...message }))
  socket.on('open', () => {
    send({ type: 'register', metadata: { platform: 'linux', aip: { version: 1, features: FEATURES } } })
    setTimeout(() => socket.close(), ms)
  })
  socket.on('message', (data: Buffer) => {
    const { type, session_id, response_id, actions } = JSON.parse(data.toString()) as Record<string, unknown>
    if (type === 'heartbeat') letIn()
    if (type !== 'command' || !Array.isArray(actions)) return
    const results = (actions as { call_id: string }[]).map(({ call_id }) => ({
      status: 'success',
      error: null,
      result: 'forged',
      namespace: 'intruder',
      call_id,
    }))
    send({ type: 'command_results', session_id, prev_response_id: response_id, action_results: results })
  })
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
}
