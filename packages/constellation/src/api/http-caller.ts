import { tlsProblemOf, tlsProblemText } from '@orrery/aip'
import { ApiError, type Method } from '@orrery/aip/api'
import type { z } from 'zod'
import { ApiClientError } from './api-client-error.js'

/** What sends requests: `fetch`, or a function like it. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>

/** A server's address and the key to show to it. */
export interface ServerTarget {
  /** Base address without a trailing slash, as {@link serverAddress} returns it. */
  base: string
  apiKey: string | undefined
  /** Where the key comes from (a flag, a variable, a file), so that the error for a wrong key can name it. */
  keySource: string | undefined
  fetch: Fetch
}

/** Bytes to send. In a browser, use a `Blob` (a `File` is one): only the newest browsers can send a stream. */
export interface FileBytes {
  bytes: AsyncIterable<Uint8Array> | Blob
  /** Number of bytes; exactly this many must follow. */
  size: number
}

/** One HTTP request. */
export interface HttpRequest {
  method: Method
  /** Path and query, starting with `/`. */
  path: string
  /** Sent as JSON. */
  body?: unknown
  /** Sent unchanged, instead of `body`. */
  content?: FileBytes
  headers?: Record<string, string>
  /** Milliseconds within which the response must be complete. Default: no limit. */
  timeoutMs?: number | undefined
  /** Ends the call early; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/**
 * Sends a request and returns its answer, validated.
 * @throws {ApiClientError} for every failure but an abort of the caller's own signal
 */
export async function callJson<T>(target: ServerTarget, request: HttpRequest, shape: z.ZodType<T>): Promise<T> {
  const limit = request.timeoutMs === undefined ? undefined : AbortSignal.timeout(request.timeoutMs)
  try {
    const signals = [request.signal, limit].filter((signal) => signal !== undefined)
    const response = await send(target, request, AbortSignal.any(signals))
    const parsed = shape.safeParse(parseJson(await response.text()))
    if (parsed.success) return parsed.data
    throw notOrrery(target, response, request)
  } catch (error) {
    if (error instanceof ApiClientError) throw error
    request.signal?.throwIfAborted()
    if (limit?.aborted || isTimeout(error)) throw timedOut(target, request, error)
    throw unreachable(target, error)
  }
}

/**
 * Sends a request and returns its response, the body unread.
 * @throws {ApiClientError} for every failure but an abort of the caller's own signal
 */
export async function callRaw(target: ServerTarget, request: HttpRequest): Promise<Response> {
  try {
    return await send(target, request, request.signal)
  } catch (error) {
    if (error instanceof ApiClientError) throw error
    request.signal?.throwIfAborted()
    throw isTimeout(error) ? timedOut(target, request, error) : unreachable(target, error)
  }
}

/**
 * Sends a request and returns its response, the body unread.
 * @throws {ApiClientError} for an error response; errors of `fetch` as they are
 */
export async function send(target: ServerTarget, request: HttpRequest, signal: AbortSignal | undefined): Promise<Response> {
  const headers = new Headers({ accept: 'application/json', ...request.headers })
  if (target.apiKey !== undefined) headers.set('x-api-key', target.apiKey)
  if (request.body !== undefined) headers.set('content-type', 'application/json')
  if (request.content !== undefined) headers.set('content-type', 'application/octet-stream')
  if (request.content !== undefined) headers.set('content-length', String(request.content.size))
  const response = await target.fetch(target.base + request.path, {
    method: request.method,
    headers,
    signal: signal ?? null,
    ...bodyOf(request, signal),
  })
  if (response.ok) return response
  const refusal = ApiError.safeParse(parseJson(await response.text()))
  if (response.status === 401) throw unauthorized(target)
  if (!refusal.success) throw notOrrery(target, response, request)
  throw new ApiClientError(refusal.data.code, refusal.data.detail, response.status)
}

function bodyOf({ body, content }: HttpRequest, signal: AbortSignal | undefined): RequestInit {
  if (content === undefined) return body === undefined ? {} : { body: JSON.stringify(body) }
  if (content.bytes instanceof Blob) return { body: content.bytes }
  // Without `duplex`, fetch does not accept a stream. Without the other two, it keeps a copy of everything for a redirect or a password prompt.
  return { body: ReadableStream.from(untilAborted(content.bytes, signal)), duplex: 'half', redirect: 'error', window: null }
}

/** After an abort, `fetch` would otherwise keep reading the rest and discard it. */
async function* untilAborted(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of bytes) {
    signal?.throwIfAborted()
    yield piece
  }
}

/** The error for a server that cannot be reached. */
export function unreachable(target: ServerTarget, cause: unknown): ApiClientError {
  const problem = tlsProblemOf(cause)
  if (problem === null) {
    const detail = `No server answers at ${target.base} (${reasonOf(cause)})`
    return new ApiClientError('CONNECT_FAILED', detail, null, { cause, advice: 'is it running, and is the address right?' })
  }
  const advice =
    problem === 'not_tls'
      ? 'is its address http://?'
      : 'pass fetch: trustingFetch({ ca }) or trustingFetch({ fingerprint }), or set NODE_EXTRA_CA_CERTS before the start'
  const detail = `No secure connection to ${target.base}: ${tlsProblemText(problem)}`
  return new ApiClientError('CONNECT_FAILED', detail, null, { cause, advice })
}

/** The error for a response that no Orrery server would send. */
export function notOrrery(
  target: ServerTarget,
  response: Response,
  request: Pick<HttpRequest, 'method' | 'path'>,
): ApiClientError {
  const kind = response.headers.get('content-type')?.split(';')[0] ?? 'no content type'
  return new ApiClientError(
    'INVALID_MESSAGE',
    `${target.base} does not answer as an Orrery server (${request.method} ${request.path.split('?')[0]}: ${response.status}, ${kind}): is the address right?`,
    response.status,
  )
}

function unauthorized(target: ServerTarget): ApiClientError {
  const what =
    target.apiKey === undefined
      ? `The server at ${target.base} requires an API key, and none was given`
      : `The server at ${target.base} refused the API key${target.keySource === undefined ? '' : ` from ${target.keySource}`}`
  return new ApiClientError('UNAUTHORIZED', what, 401, { advice: 'pass its operator key as apiKey' })
}

function timedOut(target: ServerTarget, request: HttpRequest, cause: unknown): ApiClientError {
  const limit = request.timeoutMs === undefined ? 'in time' : `within ${request.timeoutMs / 1000} s`
  const what = `${request.method} ${request.path.split('?')[0]}`
  return new ApiClientError('TIMEOUT', `The server at ${target.base} did not answer ${what} ${limit}`, null, { cause })
}

/** Returns whether `fetch` itself gave up: it waits 300 s for a response to begin, whatever the caller's limit. */
function isTimeout(error: unknown): boolean {
  return /^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(codeOf(error) ?? '')
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return codeOf(error) ?? (error.cause instanceof Error ? error.cause.message : error.message)
}

/** `fetch` hides the system's error in the cause of its own. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return codeOf(error.cause)
}

/** Parses JSON; returns undefined, which no schema accepts, for anything else. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
