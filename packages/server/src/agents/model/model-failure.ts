import { APICallError } from '@ai-sdk/provider'
import { messageOf, shortened, type AipError } from '@orrery/aip'
import { addressOf, type ModelEndpoint } from './model-settings.js'
import { CutStreamError } from './read-turn.js'
import { SERVER_LIMITS } from '../../limits.js'
import { serverError } from '../../errors.js'

/** The kinds of failed requests to a model, by how they are handled. */
type Kind =
  | 'key'
  | 'unknown'
  | 'quota'
  | 'rate'
  | 'context'
  | 'tools'
  | 'images'
  | 'unreachable'
  | 'cut'
  | 'silent'
  | 'overloaded'
  | 'refused'

/** A failed request to a model. */
export interface ModelFailure {
  kind: Kind
  /** Whether the same request may succeed later. */
  passing: boolean
  /** How long the endpoint asks to wait, in milliseconds; null if it does not say. */
  retryAfterMs: number | null
  /** The provider's own message. */
  detail: string
}

/** The endpoint was silent for too long. */
export class SilentEndpointError extends Error {
  override readonly name = 'SilentEndpointError'
}

const PASSING: ReadonlySet<Kind> = new Set(['rate', 'unreachable', 'cut', 'silent', 'overloaded'])

const CONTEXT =
  /context.{0,30}(length|window|size)|too (long|many tokens)|maximum.{0,40}tokens|exceed.{0,40}(context|tokens)|tokens.{0,20}exceed/i
const TOOLS =
  /(tool|function)s?\b.{0,60}(not|n't|un)\s?(support|allow|available|enabled)|(not|n't|un)\s?support.{0,60}(tool|function)/i
const IMAGES =
  /(image|vision|multi-?modal).{0,60}(not\b|n't|unsupported|only)|(not|n't|un)\s?support.{0,60}(image|vision|multi-?modal)/i
const OVERLOADED = /overloaded|server_error|api_error|internal|unavailable|capacity|timeout/i
const RATE = /rate.?limit|too many requests/i

/** Interprets an error of the SDK, of its stream or of the network. */
export function failureOf(thrown: unknown, now: number): ModelFailure {
  const make = (kind: Kind, detail: string, retryAfterMs: number | null = null): ModelFailure => ({
    kind,
    passing: PASSING.has(kind),
    retryAfterMs,
    detail: oneLine(detail),
  })
  if (thrown instanceof SilentEndpointError) return make('silent', thrown.message)
  if (thrown instanceof CutStreamError) return make('cut', thrown.message)
  if (APICallError.isInstance(thrown) && thrown.statusCode !== undefined && thrown.statusCode >= 400) {
    const detail = detailOf(thrown)
    return make(
      kindOf(thrown.statusCode, `${detail} ${thrown.responseBody ?? ''}`),
      detail,
      retryAfter(thrown.responseHeaders, now),
    )
  }
  const code = codeOf(thrown)
  // The SDK wraps network errors that precede an answer in a type of its own, but not those in the middle of one.
  const lost = code === 'ECONNRESET' || code === 'UND_ERR_SOCKET'
  if (APICallError.isInstance(thrown) && !lost) return make('unreachable', code ?? thrown.message)
  const text = textOf(thrown)
  // Errors inside a stream have no status.
  if (isReported(thrown)) {
    if (CONTEXT.test(text)) return make('context', text)
    if (RATE.test(text)) return make('rate', text)
    return make(OVERLOADED.test(text) ? 'overloaded' : 'refused', text)
  }
  return make('cut', code ?? text)
}

/** Makes an error for the user: what went wrong, and which setting to check. */
export function modelError({ kind, detail }: ModelFailure, endpoint: ModelEndpoint, timeoutMs: number): AipError {
  const { model, settings } = endpoint
  const where = addressOf(endpoint)
  switch (kind) {
    case 'key':
      return serverError('MODEL_KEY_REFUSED', { where, setting: settings.apiKey, detail })
    case 'unknown':
      return serverError('MODEL_UNKNOWN', { where, model, setting: settings.model, address: settings.baseUrl, detail })
    case 'quota':
    case 'rate':
      return serverError('MODEL_RATE_LIMITED', { where, setting: settings.apiKey, detail })
    case 'context':
      return serverError('MODEL_CONTEXT_EXCEEDED', { model, tokens: endpoint.contextTokens, detail })
    case 'tools':
      return serverError('MODEL_WITHOUT_TOOLS', { model, setting: settings.model, detail })
    case 'images':
      return serverError('MODEL_WITHOUT_IMAGES', { model, detail })
    case 'unreachable':
      return serverError('MODEL_UNREACHABLE', { where, setting: settings.baseUrl, detail })
    case 'cut':
      return serverError('MODEL_CUT_OFF', { where, detail })
    case 'silent':
      return serverError('MODEL_SILENT', { where, seconds: timeoutMs / 1000 })
    case 'overloaded':
      return serverError('MODEL_UNAVAILABLE', { where, setting: settings.baseUrl, detail })
    case 'refused':
      return serverError('MODEL_REFUSED', { where, model, detail })
  }
}

function kindOf(status: number, text: string): Kind {
  if (status === 401 || status === 403) return 'key'
  if (status === 404) return 'unknown'
  if (status === 402 || (status === 429 && /insufficient_quota|billing|credit/i.test(text))) return 'quota'
  if (status === 429) return 'rate'
  if (status === 408 || status === 409 || status >= 500) return 'overloaded'
  if (CONTEXT.test(text) || status === 413) return 'context'
  if (TOOLS.test(text)) return 'tools'
  if (IMAGES.test(text)) return 'images'
  if (/model.{0,80}(not found|does not exist|not exist|unknown|invalid)|(invalid|unknown) model/i.test(text)) return 'unknown'
  return 'refused'
}

function detailOf({ message, responseBody, statusCode }: APICallError): string {
  const own = message.trim() === '' ? (responseBody ?? '') : message
  return `${statusCode ?? ''} ${own}`.trim()
}

function retryAfter(headers: Record<string, string> | undefined, now: number): number | null {
  const exact = Number(headers?.['retry-after-ms'] ?? Number.NaN)
  if (Number.isFinite(exact)) return Math.min(Math.max(exact, 0), SERVER_LIMITS.modelRetryAfter)
  const value = headers?.['retry-after']
  if (value === undefined) return null
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), SERVER_LIMITS.modelRetryAfter) : null
}

/** `fetch` hides the system's error in the cause of its own, and the SDK wraps that in another. */
function codeOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return null
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code
  return thrown instanceof AggregateError ? codeOf(thrown.errors[0]) : codeOf(thrown.cause)
}

/** Returns whether the endpoint itself reported this, in the middle of its stream. */
function isReported(thrown: unknown): boolean {
  return typeof thrown === 'string' || (typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error))
}

function textOf(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error)) return JSON.stringify(thrown)
  return messageOf(thrown)
}

function oneLine(text: string): string {
  return shortened(text.replaceAll(/\s+/g, ' ').trim(), SERVER_LIMITS.modelErrorDetail)
}
