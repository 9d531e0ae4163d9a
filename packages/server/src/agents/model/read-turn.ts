import type {
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from '@ai-sdk/provider'
import type { Prices } from './model-settings.js'
import type { AssistantContent, ToolCall, Turn, TurnUsage } from './turn.js'

/** What a provider's stream contains of one turn. */
export type ReadTurn = Pick<Turn, 'text' | 'calls' | 'finish' | 'usage' | 'content'>

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
  let finish: ReadTurn['finish'] | null = null
  let usage: LanguageModelV4Usage | null = null
  const keep = (metadata: SharedV4ProviderMetadata | undefined): { providerOptions?: SharedV4ProviderMetadata } => {
    if (metadata === undefined) return {}
    return { providerOptions: metadata }
  }
  for await (const part of stream) {
    sign()
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
        const input = objectOf(part.input)
        calls.push({ id: part.toolCallId, tool: part.toolName, input })
        content.push({
          type: 'tool-call',
          toolCallId: part.toolCallId,
          toolName: part.toolName,
          input: input ?? {},
          ...keep(part.providerMetadata),
        })
        break
      }
      case 'finish':
        finish = part.finishReason.unified
        usage = part.usage
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
  const said = content.filter((part) => part.type !== 'text' || part.text !== '')
  const text = said
    .filter((part) => part.type === 'text')
    .map((part) => part.text)
    .join('')
    .trim()
  return {
    text,
    calls,
    finish,
    usage: usageOf(usage, prices),
    content: said.some((part) => part.providerOptions !== undefined) ? said : null,
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
  yield { type: 'finish', usage: answer.usage, finishReason: answer.finishReason }
}

function objectOf(json: string): Record<string, unknown> | null {
  // Some endpoints send no arguments at all for a tool without parameters.
  if (json.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(json)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
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
