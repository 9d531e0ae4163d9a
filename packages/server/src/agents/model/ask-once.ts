import type { LanguageModelV4, LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import type { Clock } from '@orrery/aip'
import type { Entry } from './conversation.js'
import { fitConversation, tokensOf } from './fit-conversation.js'
import { SilentEndpointError } from './model-failure.js'
import type { ModelEndpoint } from './model-settings.js'
import { partsOf, readTurn, type ReadTurn } from './read-turn.js'
import { toPrompt } from './to-prompt.js'

/** What the model is asked with. */
export interface Question {
  system: string
  entries: readonly Entry[]
  tools: readonly LanguageModelV4FunctionTool[]
}

/** How one request is made. */
export interface RequestOptions {
  clock: Clock
  signal: AbortSignal
  /** Milliseconds without any sign until the request is given up. */
  timeoutMs: number
  /** Size of the window to fill, in tokens. */
  window: number
  /** Whether images are shown. */
  images: boolean
}

/** Room for the answer where its length is not limited, as a part of the window. */
const ANSWER_PART = 4

/**
 * One request to a model, with the conversation made to fit.
 * @throws what the SDK, the network or the endpoint gives as an error; {@link SilentEndpointError} when there is no sign in time
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
    // The SDK wraps what an abort throws, in more than one way.
    throw silence.signal.aborted ? silence.signal.reason : error
  } finally {
    timer.cancel()
  }
}
