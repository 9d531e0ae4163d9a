import { aipError } from '@orrery/aip'
import { FileQuery, WriteFileQuery, WrittenFile } from '@orrery/aip/api'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { App, HttpContext } from './context.js'

const DeviceParams = z.object({ id: z.string() })

/** Whole files from and to devices. To be registered in a scope of its own: here a body of any type is bytes. */
export function fileRoutes(app: App, { files }: HttpContext): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))

  app.get(
    '/api/devices/:id/files',
    {
      schema: {
        summary: 'The content of a file on a device, as a stream; an answer of full length has the checksum of the device',
        produces: ['application/octet-stream'],
        params: DeviceParams,
        querystring: FileQuery,
      },
    },
    async ({ params, query }, reply) => {
      const file = await files.read(params.id, query.path, goneSignal(reply))
      return reply
        .headers({
          'content-type': 'application/octet-stream',
          'content-length': file.size,
          'content-disposition': attachment(file.filename),
          'cache-control': 'no-store',
          'x-orrery-session-id': file.sessionId,
        })
        .send(file.content)
    },
  )

  app.put(
    '/api/devices/:id/files',
    {
      schema: {
        summary:
          'Writes the body, of any type and with a Content-Length, as a file on a device; a file that is there is kept unless overwrite is true',
        consumes: ['application/octet-stream'],
        params: DeviceParams,
        querystring: WriteFileQuery,
        response: { 200: WrittenFile },
      },
    },
    ({ params, query, headers, raw }, reply) => {
      const size = headers['content-length']
      if (size === undefined) throw aipError('LENGTH_REQUIRED')
      const { path, overwrite } = query
      return files.write(params.id, { path, overwrite, size: Number(size) }, raw, goneSignal(reply))
    },
  )
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
