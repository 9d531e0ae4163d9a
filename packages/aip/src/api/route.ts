import type { z } from 'zod'

/**
 * What a key must allow for a route: `read` reads, `run` starts and steers work (and includes `read`), `approve` answers a device
 * that asks for permission, `admin` allows everything, `any` is any valid key, `open` needs no key.
 */
export type Right = 'read' | 'run' | 'approve' | 'admin' | 'any' | 'open'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A JSON answer with its usual status, and other statuses with an answer of the same form. */
export interface JsonAnswer<Schema extends z.ZodType = z.ZodType> {
  kind: 'json'
  status: number
  alsoStatus: readonly number[]
  schema: Schema
}

/** A stream of server-sent events, each with `data` of this form. */
export interface EventsAnswer<Schema extends z.ZodType = z.ZodType> {
  kind: 'events'
  status: 200
  schema: Schema
}

/** Raw bytes, with headers that describe them. */
export interface BytesAnswer {
  kind: 'bytes'
  status: 200
  /** Name and meaning of each header of the answer that clients may use. */
  headers: Readonly<Record<string, string>>
}

/** A WebSocket: the request is an upgrade. Without one the answer is an error. */
export interface SocketAnswer {
  kind: 'socket'
  status: 101
  /** What goes over it, for the reference. */
  doc: string
}

/** The names of the parameters in a path: `'id' | 'value'` for `/api/sessions/:id/values/:value`. */
export type ParameterIn<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParameterIn<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never

/**
 * The only description of a route. The server's routes and their validation, OpenAPI, the reference page and the SDK's calls come
 * from it.
 */
export interface Route<Path extends `/${string}` = `/${string}`> {
  method: Method
  path: Path
  right: Right
  /** Another right that the key must have as well. */
  alsoRight?: Right
  /** One sentence for the reference, without its full stop. */
  doc: string
  /** Each parameter in the path. */
  params?: Readonly<Record<string, z.ZodString>>
  query?: z.ZodObject
  /** Headers that the route uses, by their lower-case names; it must accept others. */
  headers?: z.ZodObject
  /** JSON of this form, or bytes of any content type. */
  body?: z.ZodType | 'bytes'
  answer: JsonAnswer | EventsAnswer | BytesAnswer | SocketAnswer
}

/** Descriptions of exactly the parameters of a path. */
type Described<Path extends string> = [ParameterIn<Path>] extends [never]
  ? { params?: never }
  : { params: Readonly<Record<ParameterIn<Path>, z.ZodString>> }

/** Declares a route; one whose path has a parameter without a description does not compile. */
export function defineRoute<const R extends Route>(route: R & Described<R['path']>): R {
  return route
}

/** A JSON answer. @param alsoStatus other statuses with an answer of the same form */
export function json<Schema extends z.ZodType>(
  schema: Schema,
  status = 200,
  alsoStatus: readonly number[] = [],
): JsonAnswer<Schema> {
  return { kind: 'json', status, alsoStatus, schema }
}

/** An answer of server-sent events. */
export function events<Schema extends z.ZodType>(schema: Schema): EventsAnswer<Schema> {
  return { kind: 'events', status: 200, schema }
}

/** An answer of bytes. @param headers name and meaning of each */
export function bytes(headers: Readonly<Record<string, string>>): BytesAnswer {
  return { kind: 'bytes', status: 200, headers }
}

/** An answer that is a WebSocket. @param doc what goes over it */
export function socket(doc: string): SocketAnswer {
  return { kind: 'socket', status: 101, doc }
}
