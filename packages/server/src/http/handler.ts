import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type {
  BytesAnswer,
  JsonAnswer,
  RouteAnswerInput,
  RouteBody,
  RouteName,
  RouteOf,
  RouteParams,
  RouteQuery,
} from '@orrery/aip/api'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../identity/principal.js'

/** One request to a route, validated against its description. */
export interface Call<Name extends RouteName> {
  params: RouteParams<Name>
  query: RouteQuery<Name>
  /** Undefined if the body is bytes, which are read from `request.raw`. */
  body: RouteBody<Name>
  headers: IncomingHttpHeaders
  /** Who asks; on an open route a principal without rights. */
  principal: Principal
  request: FastifyRequest
  /** For another status than the usual one, and to notice that the caller has gone. */
  reply: FastifyReply
}

/** Bytes with the headers that the route describes. */
export interface BytesOutcome {
  headers: Record<string, string | number>
  content: Readable
}

/** What a handler returns: JSON, bytes, or nothing if it hijacks the reply to write a stream of events. */
type Outcome<Name extends RouteName> = RouteOf<Name>['answer'] extends JsonAnswer
  ? RouteAnswerInput<Name>
  : RouteOf<Name>['answer'] extends BytesAnswer
    ? BytesOutcome
    : void

/** Translates one request into a call of a use case, and its result into an answer. */
export type Handler<Name extends RouteName> = (call: Call<Name>) => Outcome<Name> | Promise<Outcome<Name>>

/** A handler for every route; a route without one does not compile. */
export type Handlers = { readonly [Name in RouteName]: Handler<Name> }

/** The handlers of one group of routes, such as those of `devices`. */
export type HandlersOf<Group extends string> = {
  readonly [Name in RouteName as Name extends `${Group}.${string}` ? Name : never]: Handler<Name>
}
