import type { LanguageModelV4Message, SharedV4ProviderOptions } from '@ai-sdk/provider'

/** One tool call that the model requests. */
export interface ToolCall {
  id: string
  /** The tool, by its name for the model. */
  tool: string
  /** Null if what the model wrote is not a JSON object. */
  input: Record<string, unknown> | null
  /** Why there is no input. */
  problem?: string
}

/** The usage of a turn. */
export interface TurnUsage {
  input_tokens: number
  output_tokens: number
  /** How much of the input came from the provider's cache. */
  cached_tokens: number
  /** US dollars; null if the price is not known. */
  cost_usd: number | null
}

/** The parts of a message of the model, in the form in which the SDK accepts them back. */
export type AssistantContent = Extract<LanguageModelV4Message, { role: 'assistant' }>['content']

/** How the provider says that a turn ended. */
export type TurnFinish = 'stop' | 'tool-calls' | 'length' | 'content-filter' | 'error' | 'interrupted' | 'other'

/** One turn of the model. All of it survives JSON, so that it can be recorded and never has to be asked for again. */
export interface Turn {
  /** The user's remarks that this turn was the first to receive. */
  heard: string[]
  /** What the model said alongside its calls. */
  text: string
  calls: ToolCall[]
  finish: TurnFinish
  model: string
  usage: TurnUsage
  /** Milliseconds from the request to the end of the answer, repetitions included. */
  ms: number
  /** The message in the form in which the provider requires it back, if it is more than text and calls, such as signed reasoning. */
  content: AssistantContent | null
  /** Reasoning in the endpoint's own form, which goes back with the message; turns that were recorded before it was kept have none. */
  reasoning?: SharedV4ProviderOptions[string]
}

/** How an endpoint gets the reasoning of earlier turns back; `filled`: a turn that has none gets an empty one. */
export type ReasoningBack = 'as it came' | 'filled' | 'none'

/** Reasoning for an endpoint that requires some with every call, also of a turn that another model made. */
const EMPTY_REASONING = { reasoning_content: '' }

/** Returns the message of the model for a prompt. */
export function assistantMessage(turn: Turn, back: ReasoningBack): Extract<LanguageModelV4Message, { role: 'assistant' }> {
  const content = contentOf(turn)
  const reasoning = back === 'none' ? undefined : (turn.reasoning ?? (back === 'filled' ? EMPTY_REASONING : undefined))
  // This provider puts what it is given here into the message, under the same names.
  return reasoning === undefined
    ? { role: 'assistant', content }
    : { role: 'assistant', content, providerOptions: { openaiCompatible: reasoning } }
}

function contentOf({ text, calls, content }: Turn): AssistantContent {
  if (content !== null) return content
  return [
    ...(text === '' ? [] : [{ type: 'text' as const, text }]),
    ...calls.map(({ id, tool, input }) => ({ type: 'tool-call' as const, toolCallId: id, toolName: tool, input: input ?? {} })),
  ]
}
