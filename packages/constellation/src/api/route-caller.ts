import {
  ROUTES,
  type JsonAnswer,
  type Route,
  type RouteAnswer,
  type RouteBodyInput,
  type RouteName,
  type RouteOf,
  type RouteParams,
  type RouteQueryInput,
} from '@orrery/aip/api'
import type { z } from 'zod'
import { type FileBytes, type HttpRequest, type ServerTarget, callJson, callRaw } from './http-caller.js'

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds that this call may take. */
  timeoutMs?: number
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal
}

/** The routes that answer with JSON. */
export type JsonRouteName = {
  [Name in RouteName]: RouteOf<Name>['answer'] extends JsonAnswer ? Name : never
}[RouteName]

/** One part of a call: left out where the route has none, optional where all of its fields are. */
type Part<Key extends string, Value> = [Value] extends [undefined]
  ? { [K in Key]?: never }
  : {} extends Value
    ? { [K in Key]?: Value }
    : { [K in Key]: Value }

/** What a call of a route takes. */
export type RouteInput<Name extends RouteName> = Part<'params', RouteParams<Name>> &
  Part<'query', RouteQueryInput<Name>> &
  Part<'body', RouteBodyInput<Name>>

interface Parts {
  params?: Readonly<Record<string, string>>
  query?: object | undefined
  body?: unknown
}

/** Calls the routes of one server by their descriptions, which give path, query, body and the schema of the answer. */
export class RouteCaller {
  readonly target: ServerTarget
  readonly #timeoutMs: number
  #reached = false

  /** @param timeoutMs the default limit of a call, in milliseconds */
  constructor(target: ServerTarget, timeoutMs: number) {
    this.target = target
    this.#timeoutMs = timeoutMs
  }

  /** Whether the server has ever answered. */
  get reached(): boolean {
    return this.#reached
  }

  /**
   * Calls a route and returns its answer, validated.
   * @param options.timeoutMs null for no limit
   * @param options.content the body of a route that takes bytes
   * @throws {ApiClientError} for every failure but an abort of the caller's own signal
   */
  async call<Name extends JsonRouteName>(
    name: Name,
    input: RouteInput<Name>,
    options: Omit<CallOptions, 'timeoutMs'> & { timeoutMs?: number | null; content?: FileBytes } = {},
  ): Promise<RouteAnswer<Name>> {
    const { timeoutMs = this.#timeoutMs, ...rest } = options
    const request = { ...requestOf(name, input), timeoutMs: timeoutMs ?? undefined, ...rest }
    const { [name]: route }: Record<Name, { answer: { schema: z.ZodType } }> = ROUTES
    const answer = await callJson(this.target, request, route.answer.schema as z.ZodType<RouteAnswer<Name>>)
    this.#reached = true
    return answer
  }

  /** Calls a route and returns its response, the body unread. */
  raw<Name extends RouteName>(name: Name, input: RouteInput<Name>, options: Pick<CallOptions, 'signal'>): Promise<Response> {
    return callRaw(this.target, { ...requestOf(name, input), ...options })
  }
}

/** The request for a route. */
export function requestOf<Name extends RouteName>(
  name: Name,
  input: RouteInput<Name>,
): Pick<HttpRequest, 'method' | 'path' | 'body'> {
  const { [name]: route }: Record<Name, Route> = ROUTES
  const { params = {}, query = {}, body }: Parts = input
  const path = route.path.replaceAll(/:(\w+)/g, (_match, parameter: string) => encodeURIComponent(params[parameter] ?? ''))
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  const search = new URLSearchParams(given.map(([key, value]): [string, string] => [key, String(value)]))
  return { method: route.method, path: search.size === 0 ? path : `${path}?${search.toString()}`, body }
}
