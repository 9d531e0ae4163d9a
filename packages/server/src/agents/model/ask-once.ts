import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4StreamPart,
} from '@ai-sdk/provider'
import { WholeNumber, type Clock } from '@orrery/aip'
import { WholeAnswerError, answeredWith } from './endpoint-fetch.js'
import { fitConversation, tokensOf } from './fit-conversation.js'
import { imagesOf, withoutImages } from './left-out-images.js'
import { SilentEndpointError } from './model-failure.js'
import type { ModelEndpoint } from './model-settings.js'
import { partsOf, readTurn, type ReadTurn } from './read-turn.js'
import type { RequestShape, Sent } from './request-shape.js'
import { toPrompt, type PromptParts } from './to-prompt.js'
import type { Turn } from './turn.js'
import { understoodTurn } from './understood-turn.js'

/** What a request to the model consists of. */
export interface Question extends Omit<PromptParts, 'reasoning'> {
  tools: readonly LanguageModelV4FunctionTool[]
}

/** Options of one request. */
export interface RequestOptions {
  clock: Clock
  signal: AbortSignal
  /** Milliseconds of silence after which the request is abandoned. */
  timeoutMs: number
  /** The form in which the endpoint accepts requests. */
  shape: RequestShape
  /** Called with what is sent, before it is. */
  onSend?: (sent: Sent) => void
  /** Removes secrets from a text. */
  clean: (text: string) => string
}

/** The share of the window reserved for an answer of unlimited length. */
const ANSWER_PART = 4

/**
 * Sends one request to a model, with the conversation made to fit.
 * @throws the error of the SDK, the network or the endpoint; {@link SilentEndpointError} if the endpoint is silent for too long
 */
export async function askOnce(
  model: LanguageModelV4,
  endpoint: ModelEndpoint,
  { system, about, entries, tools }: Question,
  { clock, signal, timeoutMs, shape, onSend, clean }: RequestOptions,
): Promise<ReadTurn> {
  const { window, maxTokens, temperature } = shape
  const offered = shape.offered(tools)
  const answer = Math.min(endpoint.maxOutputTokens ?? Infinity, Math.floor(window / ANSWER_PART))
  const room = window - answer - tokensOf(system) - (about === null ? 0 : tokensOf(about)) - tokensOf(JSON.stringify(offered))
  const accepted = entries.map((entry) => withoutImages(entry, (image) => shape.accepts(image)))
  const sent = fitConversation(accepted, room, true)
  const silence = new AbortController()
  const giveUp = (): void => silence.abort(new SilentEndpointError('no sign'))
  let timer = clock.after(timeoutMs, giveUp)
  const sign = (): void => {
    timer.cancel()
    timer = clock.after(timeoutMs, giveUp)
  }
  try {
    const request = {
      prompt: wellFormed(toPrompt({ system, about, entries: sent, reasoning: shape.reasoning }, clean)),
      tools: wellFormed(offered.map((tool) => ({ ...tool, inputSchema: cleaned(tool.inputSchema, clean) }))),
      abortSignal: AbortSignal.any([signal, silence.signal]),
      ...(maxTokens === null ? {} : lengthLimit(maxTokens)),
      ...(temperature === null ? {} : { temperature }),
    }
    const turns = sent.flatMap((entry) => (entry.kind === 'turn' ? [entry.turn] : []))
    onSend?.({
      images: imagesOf(sent),
      tools: offered,
      reasoning: turns.some(hasReasoning),
      unreasoned: !turns.every(hasReasoning),
    })
    const answered = await (endpoint.stream ? streamed(model, request) : whole(model, request))
    sign()
    return understoodTurn(await readTurn(answered, endpoint.prices, sign), { tools, entries })
  } catch (error) {
    // The SDK wraps the error of an abort in more than one way.
    throw silence.signal.aborted ? silence.signal.reason : error
  } finally {
    timer.cancel()
  }
}

/** Asks for a stream. An endpoint that answers as a whole has answered nevertheless. */
async function streamed(
  model: LanguageModelV4,
  request: LanguageModelV4CallOptions,
): Promise<AsyncIterable<LanguageModelV4StreamPart>> {
  try {
    return (await model.doStream(request)).stream
  } catch (error) {
    if (!(error instanceof WholeAnswerError)) throw error
    return answeredWith(error.body, () => whole(model, request))
  }
}

async function whole(
  model: LanguageModelV4,
  request: LanguageModelV4CallOptions,
): Promise<AsyncIterable<LanguageModelV4StreamPart>> {
  return partsOf(await model.doGenerate(request))
}

/** The SDK has one name for it; its providers pass on what they are given here. */
function lengthLimit({ name, value }: NonNullable<RequestShape['maxTokens']>): Partial<LanguageModelV4CallOptions> {
  if (name === 'max_tokens') return { maxOutputTokens: value }
  const passedOn = { [name]: value }
  return { providerOptions: { openaiCompatible: passedOn, ollama: passedOn, openai: { maxCompletionTokens: value } } }
}

function hasReasoning({ reasoning }: Turn): boolean {
  return reasoning !== undefined
}

/** Strict endpoints refuse a request with half a character in it, wherever that comes from. */
function wellFormed<T>(value: T): T {
  if (typeof value === 'string') return value.toWellFormed() as T
  if (Array.isArray(value)) return value.map(wellFormed) as T
  if (
    typeof value !== 'object' ||
    value === null ||
    value instanceof WholeNumber ||
    value instanceof URL ||
    value instanceof Uint8Array
  )
    return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => [key.toWellFormed(), wellFormed(inner)]),
  ) as T
}

/** A schema is the device's own, down to the values that an argument may have. */
function cleaned<T>(schema: T, clean: (text: string) => string): T {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) => (typeof value === 'string' ? clean(value) : value)) as T
}
