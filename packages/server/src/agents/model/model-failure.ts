import { proxyProblem } from '@orrery/aip/node'
import { APICallError, JSONParseError, TypeValidationError } from '@ai-sdk/provider'
import { messageOf, shortened, startOf, type AipError } from '@orrery/aip'
import { isErrorBody, isPage, reportIn, reportOf, type ErrorReport } from './error-report.js'
import { kindOfAnswer, kindOfReport, type FailureKind } from './failure-kind.js'
import { addressOf, type ModelEndpoint } from './model-settings.js'
import { CutStreamError } from './read-turn.js'
import { SERVER_LIMITS } from '../../limits.js'
import { serverError } from '../../errors.js'

/** A failed request to a model. */
export interface ModelFailure {
  kind: FailureKind
  /** Whether the same request may succeed later. */
  passing: boolean
  /** How long the endpoint asks to wait, in milliseconds; null if it does not say. */
  retryAfterMs: number | null
  /** The HTTP status; null if it is none that came. */
  status: number | null
  /** The endpoint's own message, short enough for an error. */
  detail: string
  /** More of it, with the part of the request that it names. */
  said: string
}

/** The endpoint was silent for too long. */
export class SilentEndpointError extends Error {
  override readonly name = 'SilentEndpointError'
}

const PASSING: ReadonlySet<FailureKind> = new Set(['rate', 'unreachable', 'cut', 'silent', 'overloaded', 'foreign'])
/** Precedes the beginning of what came instead of an answer. */
const STRANGE = 'what came is not the answer of a model, but: '

/** Interprets an error of the SDK, of its stream or of the network. */
export function failureOf(thrown: unknown, now: number): ModelFailure {
  const make = (kind: FailureKind, detail: string, more: Partial<ModelFailure> = {}): ModelFailure => ({
    kind,
    passing: PASSING.has(kind),
    retryAfterMs: null,
    status: null,
    detail: oneLine(detail),
    said: startOf(detail, SERVER_LIMITS.modelErrorRead),
    ...more,
  })
  const reported = (report: ErrorReport, kind: FailureKind, status: number | null, retryAfterMs: number | null): ModelFailure => {
    const detail = `${status ?? ''} ${report.message}`.trim()
    return make(kind, detail, {
      status,
      retryAfterMs,
      said: startOf(`${report.param ?? ''} ${detail}`, SERVER_LIMITS.modelErrorRead),
    })
  }
  if (thrown instanceof SilentEndpointError) return make('silent', thrown.message)
  if (thrown instanceof CutStreamError) return make('cut', thrown.message)
  const proxy = proxyProblem(thrown)
  if (proxy !== null) return make('unreachable', proxy)
  if (APICallError.isInstance(thrown) && thrown.statusCode !== undefined) {
    const { statusCode: status, responseBody: body = '', message } = thrown
    const wait = retryAfter(thrown.responseHeaders, now)
    if (status >= 400) {
      const report = reportIn(body)
      return reported(report.message === '' ? { ...report, message } : report, kindOfAnswer(status, report), status, wait)
    }
    if (body !== '') return failureOfBody(body, wait)
  }
  const code = codeOf(thrown)
  // The SDK wraps network errors that precede an answer in a type of its own, but not those in the middle of one.
  const lost = code === 'ECONNRESET' || code === 'UND_ERR_SOCKET'
  if (APICallError.isInstance(thrown) && !lost) return make('unreachable', code ?? thrown.message)
  // Errors inside a stream have no status.
  if (TypeValidationError.isInstance(thrown)) return ofUnreadable(thrown.value)
  if (JSONParseError.isInstance(thrown)) return ofUnreadable(thrown.text)
  if (isReported(thrown)) return ofPart(thrown)
  return make('cut', code ?? messageOf(thrown))

  function failureOfBody(body: string, wait: number | null): ModelFailure {
    if (isPage(body)) return make('page', strange(body))
    const value = parsedBody(body)
    if (!isErrorBody(value)) return make('foreign', strange(body))
    const report = reportOf(value)
    return reported(report, kindOfReport(report), report.status, wait)
  }

  /** A part of a stream that is none may still be an error. */
  function ofUnreadable(part: unknown): ModelFailure {
    const words = typeof part === 'string' ? part : JSON.stringify(part)
    if (isPage(words)) return make('page', strange(words))
    const failure = ofPart(part)
    return failure.kind === 'refused' && !isErrorBody(part) ? make('foreign', strange(words)) : failure
  }

  function ofPart(part: unknown): ModelFailure {
    const report = typeof part === 'string' ? reportIn(part) : reportOf(part)
    return reported(report, kindOfReport(report), report.status, null)
  }
}

function strange(body: string): string {
  return body.trim() === '' ? 'what came is empty' : `${STRANGE}${startOf(body, SERVER_LIMITS.modelStrangeBody)}`
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
    case 'image size':
      return serverError('MODEL_WITHOUT_IMAGES', { model, detail })
    case 'temperature':
      return serverError('MODEL_SETTING_REFUSED', { where, model, setting: 'model.temperature', detail })
    case 'max tokens':
      return serverError('MODEL_SETTING_REFUSED', { where, model, setting: 'model.max_output_tokens', detail })
    case 'unreachable':
      return serverError('MODEL_UNREACHABLE', { where, setting: settings.baseUrl, detail })
    case 'cut':
      return serverError('MODEL_CUT_OFF', { where, detail })
    case 'silent':
      return serverError('MODEL_SILENT', { where, seconds: timeoutMs / 1000 })
    case 'overloaded':
      return serverError('MODEL_UNAVAILABLE', { where, setting: settings.baseUrl, detail })
    case 'page':
    case 'foreign':
      return serverError('MODEL_FOREIGN_ANSWER', { where, setting: settings.baseUrl, detail })
    case 'tool count':
    case 'tool schema':
    case 'reasoning':
    case 'refused':
      return serverError('MODEL_REFUSED', { where, model, detail })
  }
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

function parsedBody(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return null
  }
}

function oneLine(text: string): string {
  return shortened(text.replaceAll(/\s+/g, ' ').trim(), SERVER_LIMITS.modelErrorDetail)
}
