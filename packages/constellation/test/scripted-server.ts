import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

type Route = (request: IncomingMessage, response: ServerResponse) => void

/** A server with scripted answers, to play what a good server never does. */
export interface ScriptedServer extends AsyncDisposable {
  url: string
  /** Every request so far: `METHOD /path`, with its headers and body. */
  seen: { line: string; headers: IncomingMessage['headers']; body: string }[]
}

/** Starts one. `routes` are by `METHOD /path?query`; a list is used up one answer a request, its last one stays. */
export async function scriptedServer(routes: Record<string, Route | Route[]>): Promise<ScriptedServer> {
  const seen: ScriptedServer['seen'] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      const line = `${request.method} ${request.url}`
      seen.push({ line, headers: request.headers, body })
      const route = routes[line]
      const answer = Array.isArray(route) ? (route.length > 1 ? route.shift() : route[0]) : route
      if (answer === undefined) json({ detail: 'Not Found', code: 'NOT_FOUND' }, 404)(request, response)
      else answer(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers with JSON. */
export function json(body: unknown, status = 200): Route {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
}

/** Answers with a text of any kind. */
export function text(body: string, contentType: string, status = 200): Route {
  return (_request, response) => void response.writeHead(status, { 'content-type': contentType }).end(body)
}

/** Never answers. */
export const silence: Route = () => {}

/** Sends frames of an event stream, then ends it, cuts the connection or leaves it open. */
export function stream(frames: string[], then: 'end' | 'cut' | 'open' = 'end'): Route {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    response.write(frames.join(''), () => {
      if (then === 'end') response.end()
      if (then === 'cut') response.destroy()
    })
  }
}

/** One event of the session `s1`. */
export function event(seq: number | null, type: string, data: Record<string, unknown> = {}): Record<string, unknown> {
  return { seq, session_id: 's1', time: '2026-01-01T00:00:00.000000+00:00', type, data }
}

/** One frame of an event stream. */
export function frame(seq: number | null, type: string, data: Record<string, unknown> = {}): string {
  return `${seq === null ? '' : `id: ${seq}\n`}event: ${type}\ndata: ${JSON.stringify(event(seq, type, data))}\n\n`
}

/** A session as the API gives it. */
export function session(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    session_id: 's1',
    run_id: 'r1',
    device_id: 'lab',
    task_name: 't1',
    agent: 'commands',
    status: 'completed',
    request: 'words',
    result: null,
    error: null,
    steps: 1,
    created_at: '2026-01-01T00:00:00+00:00',
    started_at: null,
    ended_at: null,
    question: null,
    usage: null,
    waits_for: null,
    ...fields,
  }
}
