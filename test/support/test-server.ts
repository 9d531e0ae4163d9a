import type { Logger } from '@orrery/aip'
import { startServer, type OrreryServer, type ServerOptions } from '@orrery/server'
import { assertNoneStuck } from './stuck-sessions.js'
import type { Json } from './wire-client.js'

export const OPERATOR_KEY = 'operator-key'
export const DEVICE_KEY = 'device-key'

/** A line of a log, as `level message`. */
export class LogCapture implements Logger {
  readonly lines: string[] = []
  debug(message: string): void {
    this.lines.push(`debug ${message}`)
  }
  info(message: string): void {
    this.lines.push(`info ${message}`)
  }
  warn(message: string): void {
    this.lines.push(`warn ${message}`)
  }
  error(message: string): void {
    this.lines.push(`error ${message}`)
  }
}

/** A real server on a free port, its log in memory unless told otherwise. Disposing of it fails if a session was stuck. */
export interface TestServer extends AsyncDisposable {
  server: OrreryServer
  url: string
  log: LogCapture
  /** Calls the HTTP API with the operator key. */
  api(path: string, body?: unknown, headers?: Record<string, string>): Promise<{ status: number; body: Json }>
  /** Reads an event stream until it ends. */
  events(sessionId: string, headers?: Record<string, string>): Promise<Json[]>
}

export async function startTestServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const log = new LogCapture()
  const server = await startServer({ port: 0, operatorKey: OPERATOR_KEY, deviceKey: DEVICE_KEY, logger: log, ...options })
  const auth = { 'x-api-key': OPERATOR_KEY }
  return {
    server,
    url: server.url,
    log,
    async api(path, body, headers = auth) {
      const init =
        body === undefined
          ? { headers }
          : { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
      const response = await fetch(server.url + path, init)
      return { status: response.status, body: (await response.json()) as Json }
    },
    async events(sessionId, headers = {}) {
      const response = await fetch(`${server.url}/api/sessions/${sessionId}/events`, { headers: { ...auth, ...headers } })
      const text = await response.text()
      return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as Json)
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      assertNoneStuck()
    },
  }
}
