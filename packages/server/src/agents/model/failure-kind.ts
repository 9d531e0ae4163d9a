import type { ErrorReport } from './error-report.js'

/** The kinds of failed requests to a model, by how they are handled. */
export type FailureKind =
  | 'key'
  | 'unknown'
  | 'quota'
  | 'rate'
  | 'context'
  /** The model, or its endpoint, cannot call tools. */
  | 'tools'
  /** There are too many tools. */
  | 'tool count'
  /** One tool is not accepted. */
  | 'tool schema'
  /** The thoughts of earlier turns are not accepted. */
  | 'reasoning'
  | 'temperature'
  | 'max tokens'
  | 'images'
  /** An image is too large, in bytes or pixels. */
  | 'image size'
  | 'unreachable'
  | 'cut'
  | 'silent'
  | 'overloaded'
  /** What answered is not the interface of a model. */
  | 'page'
  | 'foreign'
  | 'refused'

/** Codes of endpoints that say all, and the kinds that they stand for. */
const CODES: Readonly<Record<string, FailureKind>> = {
  context_length_exceeded: 'context',
  context_window_exceeded: 'context',
  exceed_context_size_error: 'context',
  request_too_large: 'context',
  invalid_api_key: 'key',
  invalid_authentication: 'key',
  incorrect_api_key: 'key',
  unauthenticated: 'key',
  model_not_found: 'unknown',
  model_not_exist: 'unknown',
  deploymentnotfound: 'unknown',
  insufficient_quota: 'quota',
  billing_hard_limit_reached: 'quota',
  billing_not_active: 'quota',
  insufficient_balance: 'quota',
  rate_limit_exceeded: 'rate',
  resource_exhausted: 'rate',
  invalid_function_parameters: 'tool schema',
  // The model wrote a call that the endpoint cannot read: it may write a better one.
  tool_use_failed: 'cut',
  server_error: 'overloaded',
  internal_server_error: 'overloaded',
}

/** Classes of errors, used only where nothing else says what it is: in the middle of a stream. */
const TYPES: Readonly<Record<string, FailureKind>> = {
  authentication_error: 'key',
  permission_error: 'key',
  billing_error: 'quota',
  rate_limit_error: 'rate',
  not_found_error: 'unknown',
  request_too_large: 'context',
  overloaded_error: 'overloaded',
  api_error: 'overloaded',
  server_error: 'overloaded',
  timeout_error: 'overloaded',
}

const IMAGE = /\b(images?|image_url|input_image|vision|visual|multi-?modal|pictures?|screenshots?|media_type)\b/i
const IMAGE_REFUSED =
  /\b(not|no|cannot|unable|un\s?supported|unknown|invalid|only|without|disabled|failed|error|must|expected|support)\b|n't/i
const IMAGE_SIZE = /exceed|too (large|big|many)|larger|maximum|\bmax\b|at most|\blimit|pixels|dimension|resolution|\d ?MB\b/i
const NO_TOOLS =
  /(tool|function)s?\b.{0,60}(not|n't|un)\s?(support|allow|available|enabled)|(not|n't|un)\s?support.{0,60}(tool|function)|no endpoints.{0,40}\btool|tool.{0,10}(choice|param\w*) requires|(tool|function)( us| call)\w+ is (disabled|off)/i
const TOOL_COUNT =
  /(tools?|functions?)\b.{0,60}(too (many|long)|at most \d|array.{0,20}(long|length)|maximum (length|number)|exceed|limit)|too many (tools|functions)|(at most|maximum( of)?) \d+ (tools|functions)/i
const TOOL_SCHEMA =
  /(schema|parameters|input_schema|function_declarations).{0,200}(invalid|missing|not (valid|supported)|unsupported|unknown|must|match|error)|(invalid|unsupported|unknown|bad).{0,60}(schema|parameters for (tool|function)|input_schema)|(unable to|failed to|cannot).{0,30}(parse|compile|convert).{0,40}(schema|grammar)|function_declarations\[/i
const CONTEXT =
  /context.{0,40}(length|window|size|limit)|(prompt|input|conversation|messages?)( is| are|'s)?( length)?.{0,20}too long|too many (input |prompt )?tokens|maximum.{0,60}\btokens|\btokens?\b.{0,60}exceed|exceed.{0,60}(context|tokens)|range of input length|maximum prompt length|reduce the length/i
const MAX_TOKENS = /\bmax_(completion_|output_|new_)?tokens\b|maxOutputTokens/i
const TEMPERATURE = /\btemperature\b/i
const REASONING = /\breasoning(_content|_details)?\b|\bthinking (block|content)/i
const UNKNOWN =
  /\bmodels?\b.{0,80}(not found|not exist|not available|no access|not have access|is unknown|is invalid)|(invalid|unknown|no such|non-existent) model|not a valid model/i
const KEY = /api.?key|\bkey\b|token|credential|auth|permission|forbidden|sign in|log ?in/i
const QUOTA = /insufficient.{0,10}(quota|balance|credit|funds)|billing|\bcredits?\b|top up|spending limit|payment/i
const RATE = /rate.?limit|too many requests|quota exceeded|resource.?exhausted/i
const OVERLOADED =
  /overload|internal|unavailable|capacity|time.?out|timed out|try again|temporar|bad gateway|server had an error/i

/** Returns whether a text names images. */
export function namesImages(text: string): boolean {
  return IMAGE.test(text)
}

/** Returns what kind of failure an answer is. @param status the one of the answer, if it was an error */
export function kindOfAnswer(status: number, report: ErrorReport): FailureKind {
  const { message } = report
  if (status === 413) return IMAGE.test(message) ? 'image size' : 'context'
  if (status === 401) return 'key'
  if (status === 402) return 'quota'
  if (status === 429) return codeKind(report) === 'quota' || QUOTA.test(message) ? 'quota' : 'rate'
  const kind = codeKind(report) ?? kindByParam(report) ?? kindByWords(message)
  if (status >= 500 || status === 408 || status === 409) {
    // A defect of the endpoint may be one of this request.
    return kind === 'context' || kind === 'tools' || kind === 'images' || kind === 'image size' || kind === 'tool schema'
      ? kind
      : 'overloaded'
  }
  if (kind !== null && kind !== 'overloaded') return kind
  if (status === 403) return message === '' || KEY.test(message) ? 'key' : 'refused'
  return status === 404 ? 'unknown' : 'refused'
}

/** Returns what kind of failure an endpoint reports where there is no status, such as in a stream. */
export function kindOfReport(report: ErrorReport): FailureKind {
  if (report.status !== null) return kindOfAnswer(report.status, report)
  const kind = codeKind(report) ?? kindByParam(report) ?? kindByWords(report.message)
  return (
    kind ??
    (RATE.test(report.message)
      ? 'rate'
      : (TYPES[report.type ?? ''] ?? (OVERLOADED.test(report.message) ? 'overloaded' : 'refused')))
  )
}

function codeKind({ code }: ErrorReport): FailureKind | null {
  const known = code?.toLowerCase() ?? ''
  if (/^(invalid_image|image_)/.test(known)) return /large|size/.test(known) ? 'image size' : 'images'
  return CODES[known] ?? null
}

function kindByParam({ param, message, code }: ErrorReport): FailureKind | null {
  if (param === null) return null
  if (/^temperature$/.test(param)) return 'temperature'
  if (/^max_(completion_|output_)?tokens$/.test(param))
    return CONTEXT.test(message) && /context/i.test(message) ? 'context' : 'max tokens'
  if (/^tools?$/.test(param) && (code?.includes('above_max') === true || TOOL_COUNT.test(message))) return 'tool count'
  if (/^(tools|functions)[[.]/.test(param)) return 'tool schema'
  return param === 'model' && !NO_TOOLS.test(message) && !IMAGE.test(message) ? 'unknown' : null
}

function kindByWords(message: string): FailureKind | null {
  // A model may be called after what it is for.
  const unnamed = message.replaceAll(/\bmodel:?\s+(['"`]).*?\1/gi, 'model')
  if (IMAGE.test(unnamed) && (IMAGE_SIZE.test(unnamed) || IMAGE_REFUSED.test(unnamed)))
    return IMAGE_SIZE.test(message) && !/support/i.test(message) ? 'image size' : 'images'
  if (TOOL_COUNT.test(message)) return 'tool count'
  if (/tool|function/i.test(message) && TOOL_SCHEMA.test(message)) return 'tool schema'
  if (MAX_TOKENS.test(message) && !/context/i.test(message)) return 'max tokens'
  if (CONTEXT.test(message)) return 'context'
  if (TEMPERATURE.test(message)) return 'temperature'
  if (REASONING.test(message)) return 'reasoning'
  if (NO_TOOLS.test(message)) return 'tools'
  if (UNKNOWN.test(message)) return 'unknown'
  return /api.?key.{0,30}(invalid|not valid|incorrect|missing|expired)|(invalid|incorrect|missing|expired).{0,20}api.?key/i.test(
    message,
  )
    ? 'key'
    : null
}
