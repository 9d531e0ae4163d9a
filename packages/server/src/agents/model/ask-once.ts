import type { LanguageModelV4, LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import type { Clock } from '@orrery/aip'
import type { Entry } from './conversation.js'
import { fitConversation, tokensOf } from './fit-conversation.js'
import { SilentEndpointError } from './model-failure.js'
import type { ModelEndpoint } from './model-settings.js'
import { partsOf, readTurn, type ReadTurn } from './read-turn.js'
import { toPrompt } from './to-prompt.js'

/** What a request to the model consists of. */
export interface Question {
  system: string
  entries: readonly Entry[]
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
  { system, entries, tools }: Question,
  { clock, signal, timeoutMs, window, images }: RequestOptions,
): Promise<ReadTurn> {
  const answer = Math.min(endpoint.maxOutputTokens ?? Infinity, Math.floor(window / ANSWER_PART))
  const room = window - answer - tokensOf(system) - tokensOf(JSON.stringify(tools))
  const silence = new AbortController()
  const giveUp = (): void => silence.abort(new SilentEndpointError('no sign'))
  let timer = clock.after(timeoutMs, giveUp)
  const sign = (): void => {
    timer.cancel()
    timer = clock.after(timeoutMs, giveUp)
  }
  try {
    const request = {
      prompt: toPrompt(system, fitConversation(entries, room, images)),
      tools: [...tools],
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
