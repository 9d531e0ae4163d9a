import type { LanguageModelV4Message } from '@ai-sdk/provider'

/** One tool call that the model wants. */
export interface ToolCall {
  id: string
  /** The tool by the name that the model knows. */
  tool: string
  /** Null if what the model wrote is not a JSON object. */
  input: Record<string, unknown> | null
}

/** What a turn used. */
export interface TurnUsage {
  input_tokens: number
  output_tokens: number
  /** How much of the input the provider had in its cache. */
  cached_tokens: number
  /** US dollars; null if the price is not known. */
  cost_usd: number | null
}

/** The parts of a message of the model, as the SDK takes them back. */
export type AssistantContent = Extract<LanguageModelV4Message, { role: 'assistant' }>['content']

/** How the provider says that a turn ended. */
export type TurnFinish = 'stop' | 'tool-calls' | 'length' | 'content-filter' | 'error' | 'interrupted' | 'other'

/** One turn of the model: all of it survives JSON, so that it is recorded once and never asked for again. */
export interface Turn {
  /** Remarks of the user that this turn was the first to hear. */
  heard: string[]
  /** What the model said besides its calls. */
  text: string
  calls: ToolCall[]
  finish: TurnFinish
  model: string
  usage: TurnUsage
  /** Milliseconds from the request to the end of the answer, repetitions included. */
  ms: number
  /** The message as the provider wants it back, where text and calls are not all of it, such as signed reasoning. */
  content: AssistantContent | null
}

/** The message of the model in a prompt. */
export function assistantContent({ text, calls, content }: Turn): AssistantContent {
  if (content !== null) return content
  return [
    ...(text === '' ? [] : [{ type: 'text' as const, text }]),
    ...calls.map(({ id, tool, input }) => ({ type: 'tool-call' as const, toolCallId: id, toolName: tool, input: input ?? {} })),
  ]
}
