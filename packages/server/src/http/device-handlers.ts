import { aipError } from '@orrery/aip'
import { CommandsOutcome } from '@orrery/aip/api'
import type { FastifyReply } from 'fastify'
import { operatorTask } from '../sessions/task.js'
import { toCommand } from './command-input.js'
import type { HttpContext } from './context.js'
import type { HandlersOf } from './handler.js'

/** Devices, their tools and files, and commands that are run at once. */
export function deviceHandlers({ devices, files, sessions }: HttpContext): HandlersOf<'devices'> {
  return {
    'devices.list': () => ({ devices: devices.list() }),
    'devices.get': ({ params }) => devices.get(params.id),
    'devices.tools': async ({ params }) => ({ tools: await devices.tools(params.id) }),
    'devices.runCommands': async ({ params, body }) => {
      devices.requireOnline(params.id)
      const timeout = body.timeout_ms === undefined ? {} : { timeout_ms: body.timeout_ms }
      const task = operatorTask(params.id, { kind: 'commands', commands: body.commands.map(toCommand), ...timeout })
      const { session } = await sessions.executeTask(task)
      sessions.start(session)
      const { status, result, error } = await sessions.ended(session)
      return { session_id: task.sessionId, status, results: CommandsOutcome.shape.results.catch([]).parse(result ?? []), error }
    },
    'devices.readFile': async ({ params, query, reply }) => {
      const file = await files.read(params.id, query.path, goneSignal(reply))
      const headers = {
        'content-length': file.size,
        'content-disposition': attachment(file.filename),
        'x-orrery-session-id': file.sessionId,
      }
      return { headers, content: file.content }
    },
    'devices.writeFile': ({ params, query, headers, request, reply }) => {
      const size = headers['content-length']
      if (size === undefined) throw aipError('LENGTH_REQUIRED')
      const { path, overwrite } = query
      return files.write(params.id, { path, overwrite, size: Number(size) }, request.raw, goneSignal(reply))
    },
  }
}

/** Aborted when the caller has gone before the answer was complete. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort()
  })
  return gone.signal
}

/** The value of Content-Disposition (RFC 6266): a plain name for old clients, the real one in UTF-8. */
function attachment(filename: string): string {
  const plain = filename.replaceAll(/[^\w. -]/g, '_')
  const encoded = encodeURIComponent(filename.toWellFormed()).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
