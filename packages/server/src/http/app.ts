import { createServer as createHttpsServer } from 'node:https'
import swagger from '@fastify/swagger'
import { AipError, aipError, messageOf, type Logger } from '@orrery/aip'
import { fastify, type FastifyError, type FastifyInstance } from 'fastify'
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import type { App, HttpContext } from './context.js'
import { deviceRoutes } from './device-routes.js'
import { EventStreams } from './event-streams.js'
import { fileRoutes } from './file-routes.js'
import { legacyRoutes } from './legacy-routes.js'
import { askRoutes } from './ask-routes.js'
import { sessionRoutes } from './session-routes.js'

/** Body of a request to the HTTP API, in bytes: as large as a frame may be. */
const BODY_LIMIT = 100 * 1024 * 1024

/** As fastify sets it for http: a large file may take longer than the five minutes that Node gives a request. */
const NO_TIME_LIMIT = { requestTimeout: 0, headersTimeout: 60_000 }

/** Certificate and key, and the authority of client certificates; PEM texts. */
export interface TlsOptions {
  cert: string
  key: string
  clientCa?: string | undefined
}

/** The HTTP side of the server. The key is asked for on every route but the two probes. */
export async function createApp(context: HttpContext, tls?: TlsOptions): Promise<FastifyInstance> {
  const app = createServer(tls)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const { httpStatus, message, code } = toAipError(error, context.logger)
    return reply.status(httpStatus).send({ detail: message, code })
  })
  // Before the body is read: what is wrong with it is of no interest on a path that does not exist.
  app.addHook('onRequest', async (request) => {
    if (!request.is404) return
    const [url = ''] = request.url.split('?')
    const known = (['GET', 'POST', 'PUT'] as const).some((method) => app.hasRoute({ url, method }))
    throw aipError(known ? 'METHOD_NOT_ALLOWED' : 'NOT_FOUND')
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Orrery', description: 'The HTTP API of the Orrery agent server', version: '1' },
    },
    transform: jsonSchemaTransform,
  })
  const typed: App = app.withTypeProvider<ZodTypeProvider>()
  typed.get('/healthz', () => ({ status: 'ok' }))
  typed.get('/readyz', (_request, reply) =>
    context.sessions.stopping ? reply.status(503).send({ status: 'stopping' }) : { status: 'ok' },
  )
  await typed.register(async (scope) => {
    const guarded: App = scope.withTypeProvider<ZodTypeProvider>()
    guarded.addHook('onRequest', async (request) => {
      const key = request.headers['x-api-key']
      if (context.keys.check(typeof key === 'string' ? key : undefined) !== 'operator') throw aipError('UNAUTHORIZED')
    })
    const streams = new EventStreams(context)
    app.addHook('preClose', () => {
      streams.close()
      context.files.close()
    })
    legacyRoutes(guarded, context)
    deviceRoutes(guarded, context)
    sessionRoutes(guarded, context, streams)
    askRoutes(guarded, context)
    await guarded.register((files, _options, done) => {
      fileRoutes(files.withTypeProvider<ZodTypeProvider>(), context)
      done()
    })
    guarded.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger())
  })
  return app
}

function createServer(tls: TlsOptions | undefined): FastifyInstance {
  const options = {
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true },
  } as const
  if (tls === undefined) return fastify(options)
  const { cert, key, clientCa } = tls
  const verify = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }
  return fastify({
    ...options,
    serverFactory: (handler) => createHttpsServer({ cert, key, ...verify, ...NO_TIME_LIMIT }, handler),
  })
}

/** What a request that failed is told. What is not in the catalogue is a defect: the log has it, the client does not. */
function toAipError(error: FastifyError, logger: Logger): AipError {
  if (error instanceof AipError) return error
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [issue] = error.validation
    const path = issue?.instancePath.slice(1).replaceAll('/', '.')
    return aipError('INVALID_INPUT', {
      detail: `${error.validationContext}${path ? ` '${path}'` : ''}: ${issue?.message ?? 'invalid'}`,
    })
  }
  if (error.statusCode === 413) return aipError('MESSAGE_TOO_LARGE', { limit: BODY_LIMIT })
  if (error.statusCode !== undefined && error.statusCode < 500) return aipError('INVALID_INPUT', { detail: error.message })
  logger.error(`HTTP request failed: ${error.stack ?? messageOf(error)}`)
  return aipError('INTERNAL')
}
