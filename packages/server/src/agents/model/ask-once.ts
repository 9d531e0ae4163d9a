import type { LanguageModelV4, LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import type { Clock } from '@orrery/aip'
import { fitConversation, tokensOf } from './fit-conversation.js'
import { SilentEndpointError } from './model-failure.js'
import type { ModelEndpoint } from './model-settings.js'
import { partsOf, readTurn, type ReadTurn } from './read-turn.js'
import { toPrompt, type PromptParts } from './to-prompt.js'

/** What a request to the model consists of. */
export interface Question extends PromptParts {
  tools: readonly LanguageModelV4FunctionTool[]
}

/** Options of one request. */
export interface RequestOptions {
  clock: Clock
  signal: AbortSignal
  /** Milliseconds of silence after which the request is abandoned. */
  timeoutMs: number
  /** Size of the window to fill, in tokens. */
  window: number
  /** Whether images are sent. */
  images: boolean
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
  { clock, signal, timeoutMs, window, images, clean }: RequestOptions,
): Promise<ReadTurn> {
  const answer = Math.min(endpoint.maxOutputTokens ?? Infinity, Math.floor(window / ANSWER_PART))
  const room = window - answer - tokensOf(system) - (about === null ? 0 : tokensOf(about)) - tokensOf(JSON.stringify(tools))
  const silence = new AbortController()
  const giveUp = (): void => silence.abort(new SilentEndpointError('no sign'))
  let timer = clock.after(timeoutMs, giveUp)
  const sign = (): void => {
    timer.cancel()
    timer = clock.after(timeoutMs, giveUp)
  }
  try {
    const request = {
      prompt: toPrompt({ system, about, entries: fitConversation(entries, room, images) }, clean),
      tools: tools.map((tool) => ({ ...tool, inputSchema: cleaned(tool.inputSchema, clean) })),
      abortSignal: AbortSignal.any([signal, silence.signal]),
      ...(endpoint.maxOutputTokens === null ? {} : { maxOutputTokens: endpoint.maxOutputTokens }),
      ...(endpoint.temperature === null ? {} : { temperature: endpoint.temperature }),
    }
    const answered = endpoint.stream ? (await model.doStream(request)).stream : partsOf(await model.doGenerate(request))
    sign()
    return await readTurn(answered, endpoint.prices, sign)
  } catch (error) {
    // The SDK wraps the error of an abort in more than one way.
    throw silence.signal.aborted ? silence.signal.reason : error
  } finally {
    timer.cancel()
  }
}

/** A schema is the device's own, down to the values that an argument may have. */
function cleaned<T>(schema: T, clean: (text: string) => string): T {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) => (typeof value === 'string' ? clean(value) : value)) as T
}
