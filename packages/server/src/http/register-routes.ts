import { aipError, encodedJson } from '@orrery/aip'
import {
  ApiError,
  unknownKeys,
  ROUTES,
  ROUTE_NAMES,
  type Right,
  type Route,
  type RouteBody,
  type RouteName,
} from '@orrery/aip/api'
import type { RouteParams, RouteQuery } from '@orrery/aip/api'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, RouteOptions } from 'fastify'
import { z } from 'zod'
import { STRANGER, type Principal } from '../identity/principal.js'
import type { BytesOutcome, Call, Handler, Handlers } from './handler.js'

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null
  }
  interface FastifySchema {
    'x-right'?: Right
    'x-also-right'?: Right
  }
}

/** Returns who sends a request; throws if they may not use a route with this right. */
type Authorize = (request: FastifyRequest, reply: FastifyReply, right: Right) => Principal

/** Registers every route of the API with its handler. */
export function registerRoutes(app: FastifyInstance, handlers: Handlers, authorize: Authorize): void {
  app.decorateRequest('principal', null)
  const takesBytes = (name: RouteName): boolean => 'body' in ROUTES[name] && ROUTES[name].body === 'bytes'
  for (const name of ROUTE_NAMES) if (!takesBytes(name)) addRoute(app, name, handlers, authorize)
  // In a scope of its own, in which a body of any type is bytes.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
    for (const name of ROUTE_NAMES) if (takesBytes(name)) addRoute(scope, name, handlers, authorize)
    done()
  })
}

function addRoute<Name extends RouteName>(
  app: FastifyInstance,
  name: Name,
  handlers: { readonly [N in Name]: Handler<N> },
  authorize: Authorize,
): void {
  const { [name]: route }: Record<Name, Route> = ROUTES
  const handler: Handler<Name> = handlers[name]
  const schema = schemaOf(name, route)
  const options: Omit<RouteOptions, 'method'> = {
    url: route.path,
    schema,
    onRequest: (request, reply, done) => {
      request.principal = authorize(request, reply, route.right)
      if (route.alsoRight !== undefined) authorize(request, reply, route.alsoRight)
      // Existing servers take a body without a type as JSON.
      if (name === 'tasks.dispatch') request.headers['content-type'] ??= 'application/json'
      done()
    },
    handler: async (request, reply) => {
      if (route.body === undefined) refuseBody(request.body)
      reply.status(route.answer.status)
      const outcome = await handler(callOf<Name>(request, reply))
      if (route.answer.kind === 'bytes') return sendBytes(request, reply, outcome as BytesOutcome)
      // Fastify would send a string unquoted, and make objects of what is JSON already.
      const json =
        typeof outcome === 'string' ? JSON.stringify(outcome) : route.right === 'run' ? encodedJson(outcome) : undefined
      return json === undefined ? outcome : reply.type('application/json').send(json)
    },
  }
  app.route({ ...options, method: route.method })
  if (route.method === 'GET') app.route({ ...options, method: 'HEAD', schema: { ...schema, hide: true } })
}

/** @throws AipError `INVALID_INPUT` for what a route without a body would ignore */
function refuseBody(given: unknown): void {
  const keys = typeof given === 'object' && given !== null ? Object.keys(given) : []
  if (keys.length > 0) throw aipError('INVALID_INPUT', { detail: `body: ${unknownKeys(keys, [])}` })
}

/** What fastify has validated with the route's own schemas. */
function callOf<Name extends RouteName>(request: FastifyRequest, reply: FastifyReply): Call<Name> {
  return {
    params: request.params as RouteParams<Name>,
    query: request.query as RouteQuery<Name>,
    body: request.body as RouteBody<Name>,
    headers: request.headers,
    principal: request.principal ?? STRANGER,
    request,
    reply,
  }
}

function sendBytes({ method }: FastifyRequest, reply: FastifyReply, { headers, content }: BytesOutcome): FastifyReply {
  void reply.headers({ 'content-type': 'application/octet-stream', 'cache-control': 'no-store', ...headers })
  if (method !== 'HEAD') return reply.send(content)
  // What a device would send for nothing ends here.
  content.destroy()
  return reply.send()
}

/** Returns what fastify needs for a route: the schemas that it validates, and the text of the OpenAPI document. */
function schemaOf(name: RouteName, route: Route): FastifySchema {
  const { params, query, headers, body } = route
  return {
    operationId: name,
    tags: [name.split('.')[0] ?? name],
    summary: route.doc,
    'x-right': route.right,
    ...(route.alsoRight === undefined ? {} : { 'x-also-right': route.alsoRight }),
    ...(route.right === 'open' ? { security: [] } : {}),
    ...(params === undefined ? {} : { params: z.object(params) }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : body === 'bytes' ? { consumes: ['application/octet-stream'] } : { body }),
    response: { ...responses(route), '4xx': ApiError, default: ApiError },
  }
}

function responses({ answer }: Route): Record<number, unknown> {
  if (answer.kind === 'json')
    return Object.fromEntries([answer.status, ...answer.alsoStatus].map((status) => [status, answer.schema]))
  if (answer.kind === 'socket') {
    const schema = z.string().meta({ format: 'binary' })
    return { [answer.status]: { description: `A WebSocket: ${answer.doc}`, content: { 'application/octet-stream': { schema } } } }
  }
  const [type, schema] =
    answer.kind === 'events'
      ? ['text/event-stream', answer.schema]
      : ['application/octet-stream', z.string().meta({ format: 'binary' })]
  return { [answer.status]: { description: 'Default Response', content: { [type]: { schema } } } }
}
