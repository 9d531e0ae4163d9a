import type {
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4ToolCall,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from '@ai-sdk/provider'
import type { Prices } from './model-settings.js'
import { parseArguments } from './parse-arguments.js'
import { REASONING } from './reasoning-memory.js'
import { withoutThoughts } from './thoughts.js'
import type { AssistantContent, ToolCall, Turn, TurnUsage } from './turn.js'
import { SERVER_LIMITS } from '../../limits.js'

/** What a provider's stream contains of one turn. */
export type ReadTurn = Pick<Turn, 'text' | 'calls' | 'finish' | 'usage' | 'content' | 'reasoning'>

/** The stream ended before the turn was complete. */
export class CutStreamError extends Error {
  override readonly name = 'CutStreamError'
}

/**
 * Reads a whole stream.
 * @param sign called at each sign of life
 * @throws what the stream reports as an error, or {@link CutStreamError}
 */
export async function readTurn(
  stream: AsyncIterable<LanguageModelV4StreamPart>,
  prices: Prices | null,
  sign: () => void,
): Promise<ReadTurn> {
  const content: AssistantContent = []
  const open = new Map<string, { type: 'text' | 'reasoning'; text: string }>()
  const calls: ToolCall[] = []
  let reasoning: ReadTurn['reasoning']
  let length = 0
  let finish: ReadTurn['finish'] | null = null
  let usage: LanguageModelV4Usage | null = null
  const keep = (metadata: SharedV4ProviderMetadata | undefined): { providerOptions?: SharedV4ProviderMetadata } => {
    if (metadata === undefined) return {}
    return { providerOptions: metadata }
  }
  for await (const part of stream) {
    sign()
    if ('delta' in part) length += part.delta.length
    if (length > SERVER_LIMITS.modelAnswer) throw new CutStreamError('the answer does not end')
    switch (part.type) {
      case 'text-start':
      case 'reasoning-start': {
        const opened = { type: part.type === 'text-start' ? ('text' as const) : ('reasoning' as const), text: '' }
        open.set(part.id, opened)
        content.push(opened)
        Object.assign(opened, keep(part.providerMetadata))
        break
      }
      case 'text-delta':
      case 'reasoning-delta':
      case 'text-end':
      case 'reasoning-end': {
        const opened = open.get(part.id)
        if (opened === undefined) break
        if ('delta' in part) opened.text += part.delta
        Object.assign(opened, keep(part.providerMetadata))
        break
      }
      case 'tool-call': {
        calls.push(callOf(part))
        content.push({
          type: 'tool-call',
          toolCallId: part.toolCallId,
          toolName: part.toolName,
          input: calls.at(-1)?.input ?? {},
          ...keep(part.providerMetadata),
        })
        break
      }
      case 'finish':
        finish = finishOf(part.finishReason)
        usage = part.usage
        reasoning = part.providerMetadata?.[REASONING]
        break
      case 'error':
        throw part.error
      // Other parts, such as sources, concern tools of the provider, which are not used.
      case 'custom':
      case 'file':
      case 'ping':
      case 'raw':
      case 'reasoning-file':
      case 'response-metadata':
      case 'source':
      case 'stream-start':
      case 'tool-approval-request':
      case 'tool-input-delta':
      case 'tool-input-end':
      case 'tool-input-start':
      case 'tool-result':
        break
    }
  }
  if (finish === null || finish === 'interrupted') throw new CutStreamError('the answer was cut off')
  // Reasoning that its provider has not signed goes back in its own way, or not at all.
  const said = content.filter(
    (part) => !('text' in part) || (part.text !== '' && (part.type === 'text' || part.providerOptions !== undefined)),
  )
  const whole = said
    .filter((part) => part.type === 'text')
    .map((part) => part.text)
    .join('')
    .trim()
  const text = withoutThoughts(whole).toWellFormed()
  return {
    text,
    // Arguments that the model could not finish are not those of a tool without parameters.
    calls: finish === 'length' ? calls.map(withoutEmptyInput) : calls,
    finish,
    usage: usageOf(usage, prices),
    content: text !== whole || said.some((part) => part.providerOptions !== undefined) ? said : null,
    ...(reasoning === undefined ? {} : { reasoning }),
  }
}

/** Converts an answer that came in one piece to the equivalent stream. */
export async function* partsOf(answer: LanguageModelV4GenerateResult): AsyncGenerator<LanguageModelV4StreamPart> {
  for (const [index, part] of answer.content.entries()) {
    const id = String(index)
    const more = part.providerMetadata === undefined ? {} : { providerMetadata: part.providerMetadata }
    if (part.type === 'text') {
      yield { type: 'text-start', id, ...more }
      yield { type: 'text-delta', id, delta: part.text }
    } else if (part.type === 'reasoning') {
      yield { type: 'reasoning-start', id, ...more }
      yield { type: 'reasoning-delta', id, delta: part.text }
    } else yield part
  }
  const more = answer.providerMetadata === undefined ? {} : { providerMetadata: answer.providerMetadata }
  yield { type: 'finish', usage: answer.usage, finishReason: answer.finishReason, ...more }
}

function callOf({ toolCallId: id, toolName: tool, input: text }: LanguageModelV4ToolCall): ToolCall {
  return { id, tool, ...parseArguments(text) }
}

function withoutEmptyInput(call: ToolCall): ToolCall {
  const isEmpty = call.input !== null && Object.keys(call.input).length === 0
  return isEmpty ? { ...call, input: null, problem: 'your answer was cut off before them' } : call
}

/** Some endpoints report a failure, or what a filter did, as the reason of an end that looks like any other. */
function finishOf({ unified, raw = '' }: LanguageModelV4FinishReason): ReadTurn['finish'] {
  if (unified !== 'other') return unified
  if (/error|abort|cancel|time.?out|insufficient|overload|interrupt|network/i.test(raw)) return 'interrupted'
  return /sensitive|safety|filter|refus|block|prohibit|recitation|moderation/i.test(raw) ? 'content-filter' : 'other'
}

function usageOf(usage: LanguageModelV4Usage | null, prices: Prices | null): TurnUsage {
  const input = usage?.inputTokens.total ?? 0
  const output = usage?.outputTokens.total ?? 0
  const cached = Math.min(usage?.inputTokens.cacheRead ?? 0, input)
  const cost =
    prices === null
      ? null
      : ((input - cached) * prices.input + cached * (prices.cached_input ?? prices.input) + output * prices.output) / 1_000_000
  return { input_tokens: input, output_tokens: output, cached_tokens: cached, cost_usd: cost }
}
