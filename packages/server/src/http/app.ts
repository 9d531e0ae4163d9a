import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import swagger from '@fastify/swagger'
import {
  AipError,
  LIMITS,
  aipError,
  exceeds,
  jsonShape,
  logError,
  mayRound,
  parseWhole,
  shownName,
  type Clock,
  type Logger,
} from '@orrery/aip'
import type { Right } from '@orrery/aip/api'
import type { SharedBudget } from '@orrery/aip/node'
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod'
import type { AddressOf } from '../connection/client-address.js'
import type { Fleet } from '../fleet/fleet.js'
import type { KeyGuesses } from '../identity/key-guesses.js'
import type { Keys } from '../identity/keys.js'
import { shownKey } from '../identity/shown-key.js'
import { STRANGER, requireRight, type Principal } from '../identity/principal.js'
import { askHandlers } from './ask-handlers.js'
import { allowOrigins } from './cors.js'
import { deviceHandlers } from './device-handlers.js'
import { eventHandlers } from './event-handlers.js'
import { EventStreams } from './event-streams.js'
import { statusOf } from './error-status.js'
import type { Handlers } from './handler.js'
import { knownMethods } from './known-methods.js'
import { registerRoutes } from './register-routes.js'
import { serverHandlers } from './server-handlers.js'
import { sessionHandlers } from './session-handlers.js'
import { taskHandlers } from './task-handlers.js'
import { registerWelcomePage } from './welcome-page.js'
import { SERVER_LIMITS } from '../limits.js'
import { serverError } from '../errors.js'
import { UnusedConnections } from './unused-connections.js'

type OpenApi = ReturnType<typeof jsonSchemaTransformObject>

/** A large file may take longer than the five minutes that Node allows a request; headers may not. */
const HTTP_TIMES = {
  requestTimeout: 0,
  headersTimeout: SERVER_LIMITS.httpHeaders,
  connectionsCheckingInterval: SERVER_LIMITS.headersCheck,
}

/** Certificate and key, and the authority of client certificates; PEM texts. */
export interface TlsOptions {
  cert: string
  key: string
  clientCa?: string | undefined
}

/** What the HTTP side is built from. */
export interface AppOptions {
  fleet: Fleet
  keys: Keys
  guesses: KeyGuesses
  addressOf: AddressOf
  /** Origins of pages that browsers let use the API. */
  corsOrigins: readonly string[]
  /** Called with the connection over which a right key came. */
  known: (socket: Socket) => void
  /** What all connections may hold for slow readers. */
  budget: SharedBudget
  clock: Clock
  logger: Logger
  tls?: TlsOptions | undefined
}

/** The HTTP side of the server: every route of the API, and what they have in common. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { fleet, clock, logger } = options
  const app = createServer(options.tls)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  readJson(app)
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const known = toAipError(error, logger)
    return reply.status(statusOf(known)).send({ detail: known.message, code: known.code })
  })
  // Before the body is read: on a path that does not exist, the body does not matter.
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return
    const methods = knownMethods(request.url.split('?')[0] ?? '')
    if (methods.length === 0) throw serverError('NOT_FOUND')
    void reply.header('allow', methods.join(', '))
    throw serverError('METHOD_NOT_ALLOWED')
  })
  if (options.corsOrigins.length > 0) await allowOrigins(app, options.corsOrigins)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Orrery',
        description: 'The HTTP API of the Orrery agent server',
        version: '1',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'The server that gives this document' }],
      components: {
        securitySchemes: {
          key: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The operator key' },
          bearer: { type: 'http', scheme: 'bearer', description: 'The operator key as a bearer token' },
        },
      },
      security: [{ key: [] }, { bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document)),
  })
  const streams = new EventStreams(fleet, clock, logger, options.budget)
  const unused = new UnusedConnections(app.server)
  let closing = false
  // Node closes the connections that are idle when a server closes; one whose answer ends later would stay until its client lets go.
  app.addHook('onResponse', ({ raw }, _reply, done) => {
    if (closing) raw.socket.destroySoon()
    done()
  })
  app.addHook('preClose', () => {
    closing = true
    streams.close()
    unused.close()
    fleet.files.close()
  })
  const handlers: Handlers = {
    ...deviceHandlers(fleet),
    ...sessionHandlers(fleet, streams),
    ...eventHandlers(fleet, streams),
    ...askHandlers(fleet),
    ...taskHandlers(fleet),
    ...serverHandlers(fleet, () => ({ ...app.swagger() })),
  }
  registerWelcomePage(app)
  registerRoutes(app, handlers, (request, reply, right) => authorize(request, reply, right, options))
  return app
}

/** Reads JSON bodies of a shape within bounds: depth and width cost time far beyond their size. */
function readJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  const bounds = { depth: LIMITS.nesting, values: LIMITS.resultValues, widest: LIMITS.objectKeys }
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body)
    if (exceeds(jsonShape(text, bounds), bounds))
      return done(aipError('TOO_MANY_VALUES', { limit: bounds.values, keys: bounds.widest }))
    void parse(request, text, (error, value) => done(error, error === null && mayRound(text) ? parseWhole(text) : value))
  })
}

/** Removes unreferenced schemas: each is generated both as it is sent and as it is read. */
function withoutUnused(document: OpenApi): OpenApi {
  const schemas = ('components' in document ? document.components.schemas : undefined) ?? {}
  const text = JSON.stringify(document)
  const unused = Object.keys(schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`))
  for (const name of unused) delete schemas[name]
  return unused.length === 0 ? document : withoutUnused(document)
}

/**
 * Returns who sends a request. A key that opens no route at all is answered as a wrong one.
 * @throws AipError `UNAUTHORIZED`, `TOO_MANY_WRONG_KEYS`, or `FORBIDDEN` if the key does not have the right
 */
function authorize({ headers, raw }: FastifyRequest, reply: FastifyReply, right: Right, options: AppOptions): Principal {
  if (right === 'open') return STRANGER
  const shown = shownKey(headers) ?? ''
  const principal = options.keys.principalOf(shown)
  if (principal !== null) options.known(raw.socket)
  else if (shown !== '') {
    const seconds = options.guesses.wrong(options.addressOf(raw), shown)
    if (seconds !== null) {
      void reply.header('retry-after', seconds)
      throw serverError('TOO_MANY_WRONG_KEYS', { seconds })
    }
  }
  if (principal === null || principal.rights.size === 0) throw aipError('UNAUTHORIZED')
  if (right !== 'any') requireRight(principal, right)
  return principal
}

function createServer(tls: TlsOptions | undefined): FastifyInstance {
  const options = {
    bodyLimit: SERVER_LIMITS.httpBody,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    // An id may have any printable character, and one of them takes up to twelve in a path.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 12 * LIMITS.id },
  } as const
  if (tls === undefined) return fastify({ ...options, http: HTTP_TIMES })
  const { cert, key, clientCa } = tls
  const verify = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }
  return fastify({
    ...options,
    serverFactory: (handler) =>
      createHttpsServer({ cert, key, ...verify, ...HTTP_TIMES, handshakeTimeout: SERVER_LIMITS.httpHeaders }, handler),
  })
}

/** Returns the error to send. One outside the catalogue is a defect: the log has it, the client does not. */
function toAipError(error: FastifyError, logger: Logger): AipError {
  if (error instanceof AipError) return error
  if (hasZodFastifySchemaValidationErrors(error)) {
    // The name of a field that is missing, and the wrong one that came instead, are one mistake.
    const issue = error.validation.find(({ keyword }) => keyword === 'unrecognized_keys') ?? error.validation[0]
    const path = issue?.instancePath.slice(1).replaceAll('/', '.')
    return aipError('INVALID_INPUT', {
      detail: `${error.validationContext}${path ? ` '${shownName(path)}'` : ''}: ${issue?.message ?? 'invalid'}`,
    })
  }
  if (error.statusCode === 415) return serverError('UNSUPPORTED_MEDIA_TYPE')
  if (error.statusCode === 413) return aipError('MESSAGE_TOO_LARGE', { limit: SERVER_LIMITS.httpBody })
  if (error.statusCode !== undefined && error.statusCode < 500)
    return aipError('INVALID_INPUT', { detail: shownName(error.message) })
  logError(logger, 'HTTP request failed', error)
  return serverError('INTERNAL')
}
