import type { FastifyReply } from 'fastify'
import type { Fleet } from '../fleet/fleet.js'
import type { HandlersOf } from './handler.js'
import { serverError } from '../errors.js'

/** Devices, their tools and files, and direct commands. */
export function deviceHandlers({ devices, files, tasks }: Fleet): HandlersOf<'devices'> {
  return {
    'devices.list': ({ principal }) => devices.list(principal),
    'devices.get': ({ principal, params }) => devices.get(principal, params.id),
    'devices.forget': ({ principal, params }) => devices.forget(principal, params.id),
    'devices.tools': ({ principal, params }) => devices.tools(principal, params.id),
    'devices.runCommands': ({ principal, params, body: { commands, timeout_ms: timeoutMs, concurrent }, reply }) =>
      tasks.run(principal, params.id, { commands, timeoutMs, concurrent }, goneSignal(reply)),
    'devices.readFile': async ({ principal, params, query, reply }) => {
      const file = await files.read(principal, params.id, query.path, goneSignal(reply))
      const headers = {
        'content-length': file.size,
        'content-disposition': attachment(file.filename),
        'x-orrery-session-id': file.sessionId,
        ...(file.mode === undefined ? {} : { 'x-orrery-mode': file.mode }),
        ...(file.modified === undefined ? {} : { 'last-modified': new Date(file.modified).toUTCString() }),
      }
      return { headers, content: file.content }
    },
    'devices.writeFile': ({ principal, params, query, headers, request, reply }) => {
      const size = headers['content-length']
      if (size === undefined) throw serverError('LENGTH_REQUIRED')
      const file = { ...query, size: Number(size) }
      return files.write(principal, params.id, file, request.raw, goneSignal(reply))
    },
    // Upgrades are served beside the routes, by `connection/terminal-socket.ts`.
    'devices.terminal': () => {
      throw serverError('UPGRADE_REQUIRED')
    },
  }
}

/** Returns a signal that aborts when the caller leaves before the answer is complete, or never wanted more of it than its head. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished || raw.req.method === 'HEAD') gone.abort()
  })
  return gone.signal
}

/** Returns the value of Content-Disposition (RFC 6266): a plain name for old clients, the real one in UTF-8. */
function attachment(filename: string): string {
  const plain = filename.replaceAll(/[^\w. -]/g, '_')
  const encoded = encodeURIComponent(filename.toWellFormed()).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
