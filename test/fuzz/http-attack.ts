import { connect } from 'node:net'
import { DEVICE_KEY, OPERATOR_KEY, within, type Attack, type Field } from './attack.ts'
import { bytes, hostileFrame, hostileJson, hostileText, mutated, type Json } from './hostile-values.ts'

const PATHS = [
  '/api/sessions',
  '/api/sessions/ID',
  '/api/sessions/ID/events',
  '/api/sessions/ID/log?after=ID',
  '/api/sessions/ID/values/ID',
  '/api/sessions/ID/cancel',
  '/api/sessions/ID/say',
  '/api/devices',
  '/api/devices/ID',
  '/api/devices/ID/tools',
  '/api/devices/ID/commands',
  '/api/devices/ID/files?path=ID',
  '/api/dispatch',
  '/api/task_result/ID',
  '/api/asks/ID',
  '/api/events?types=ID&since=ID',
  '/api/workflows',
  '/api/clients',
  '/healthz',
  '/ID',
] as const
const BODIES: readonly [Json, ...Json[]] = [
  { device_id: 'd1', request: 'do it' },
  {
    device_id: 'd1',
    workflow: 'name: demo\ndescription: d\nsteps: [{ tool: echo, with: { a: "${{ inputs.x }}" } }]',
    inputs: { x: 1 },
  },
  { commands: [{ tool_name: 'echo', parameters: {} }] },
  { client_id: 'd1', request: 'x', task_name: 'n' },
  { text: 'hello', decision: 'allow' },
]
/** Statuses from 500 that mean something else than a defect. */
const FINE: ReadonlySet<number> = new Set([501, 502, 503, 504, 507])

/** Sends requests: each must be answered, and none with a defect. */
export function httpRequests({ random, findings, server }: Field): Attack {
  return {
    async round() {
      for (let count = 0; count < 20; count += 1) {
        findings.tried('HTTP requests')
        const path = random
          .pick(PATHS)
          .replaceAll('ID', () => encodeURIComponent(hostileText(random).toWellFormed().slice(0, 300)))
        const method = random.pick(['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD'])
        const key = random.pick([OPERATOR_KEY, OPERATOR_KEY, OPERATOR_KEY, DEVICE_KEY, ''])
        const status = await statusOf(server.url + path, {
          method,
          headers: {
            'x-api-key': key,
            'content-type': random.pick(['application/json', 'application/json', 'text/plain', 'application/octet-stream', '/']),
            'last-event-id': String(random.between(-5, 5)),
          },
          ...(method === 'GET' || method === 'HEAD' ? {} : { body: bodyOf() }),
        })
        if (status === null) findings.add('HTTP requests', `${method} ${path.slice(0, 200)} was not answered`)
        else if (status >= 500 && !FINE.has(status)) findings.add('HTTP requests', `${method} ${path.slice(0, 200)}: ${status}`)
      }
      await rawRequest()
    },
    end: () => Promise.resolve(),
  }

  function bodyOf(): string | Uint8Array<ArrayBuffer> {
    if (random.chance(0.1)) return new Uint8Array(bytes(random, 200))
    if (random.chance(0.1)) return String(hostileFrame(random, {}))
    const body = mutated(random, random.pick(BODIES))
    if (typeof body['workflow'] === 'string' && random.chance(0.5)) {
      const at = random.between(0, body['workflow'].length)
      body['workflow'] = `${body['workflow'].slice(0, at)}${String(hostileJson(random, 1))}${body['workflow'].slice(at)}`
    }
    return JSON.stringify(body)
  }

  /** What no client library would send. */
  async function rawRequest(): Promise<void> {
    const { port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1')
    const over = new Promise<true>((resolve) => {
      for (const event of ['data', 'error', 'close']) socket.once(event, () => resolve(true))
    })
    const line = random.pick(['GET / HTTP/1.1', 'GET', 'POST /api/sessions HTTP/1.1', '\u0000', 'GET /ws HTTP/1.1'])
    socket.write(
      `${line}\r\n${random.pick(['Host: x', 'Upgrade: websocket\r\nConnection: Upgrade', `X: ${'y'.repeat(20_000)}`])}\r\n\r\n`,
    )
    findings.tried('raw requests')
    if ((await within(over)) === undefined) findings.add('HTTP requests', `raw '${line}' was neither answered nor closed`)
    socket.destroy()
  }
}

/** The status of an answer; null if none comes. An answer that does not end, such as a stream, is left after its head. */
async function statusOf(url: string, init: RequestInit): Promise<number | null> {
  const left = new AbortController()
  try {
    const response = await within(fetch(url, { ...init, signal: left.signal }))
    return response?.status ?? null
  } catch {
    return null
  } finally {
    left.abort()
  }
}
