import { randomBytes } from 'node:crypto'
import type { LanguageModelV4Message, LanguageModelV4Prompt } from '@ai-sdk/provider'
import type { CallOutcome, Entry, Image } from './conversation.js'
import { assistantMessage, type ReasoningBack } from './turn.js'
import type { Enclose, Untrusted } from './untrusted.js'

type UserContent = Extract<LanguageModelV4Message, { role: 'user' }>['content']

/** Anthropic caches everything up to a message with this mark; others ignore it. What follows has new marks in each prompt. */
const CACHED = { anthropic: { cacheControl: { type: 'ephemeral' } } }
/** Bytes of the mark around data: too many to be guessed. */
const MARK_BYTES = 16

/** What a prompt is made of. */
export interface PromptParts {
  /** Orrery's own text, in which nothing comes from a device. */
  system: string
  /** What the device says of itself; null if there is nothing. */
  about: Untrusted | null
  entries: readonly Entry[]
  /** Whether the endpoint gets the reasoning of earlier turns back; `filled`: those without any have an empty one. */
  reasoning?: ReasoningBack
}

/**
 * Converts a conversation to the SDK's form. Everything that a model reads passes here.
 * @param clean removes secrets from a text
 */
export function toPrompt(
  { system, about, entries, reasoning = 'as it came' }: PromptParts,
  clean: (text: string) => string,
): LanguageModelV4Prompt {
  const enclose = dataMarks(clean)
  const prompt: LanguageModelV4Prompt = [{ role: 'system', content: clean(system), providerOptions: CACHED }]
  const say = (content: UserContent): void => {
    const last = prompt.at(-1)
    // Some models require user and assistant to alternate.
    if (last?.role === 'user') last.content.push(...content)
    else prompt.push({ role: 'user', content })
  }
  if (about !== null) say([text(`The device that you work on, in its own words:\n${about.enclosed(enclose)}`)])
  for (const entry of entries) {
    switch (entry.kind) {
      case 'user':
        say([text(clean(entry.text))])
        break
      case 'turn': {
        const message = assistantMessage(entry.turn, reasoning)
        if (message.content.length > 0) prompt.push(message)
        break
      }
      case 'results':
        prompt.push({ role: 'tool', content: entry.outcomes.map((outcome) => toolResult(outcome, enclose)) })
        // Not every endpoint accepts images in a tool's result; all that accept images accept them from the user.
        for (const outcome of entry.outcomes)
          if (outcome.images.length > 0) say(shown(`Image of ${outcome.tool}`, outcome.images))
        break
      case 'observation':
        say(entry.outcomes.flatMap((outcome) => observed(outcome, enclose)))
        break
      case 'summary':
        say([text(`Your earlier steps, shortened:\n${entry.text.enclosed(enclose)}`)])
        break
    }
  }
  return prompt
}

/** Returns what encloses data in the marks of one prompt. They are random, so that no text written before can contain them. */
function dataMarks(clean: (text: string) => string): Enclose {
  const mark = randomBytes(MARK_BYTES).toString('hex')
  return (data) => `<data ${mark}>\n${clean(data)}\n</data ${mark}>`
}

function text(content: string): UserContent[number] {
  return { type: 'text', text: content }
}

function toolResult(
  { callId, tool, status, text: said }: CallOutcome,
  enclose: Enclose,
): Extract<LanguageModelV4Message, { role: 'tool' }>['content'][number] {
  const value = `${status}\n${said.enclosed(enclose)}`
  const output = { type: status === 'success' ? ('text' as const) : ('error-text' as const), value }
  return { type: 'tool-result', toolCallId: callId, toolName: tool, output }
}

function observed({ tool, status, text: said, images }: CallOutcome, enclose: Enclose): UserContent {
  return [
    text(`The device shows (${tool}, ${status}):\n${said.enclosed(enclose)}`),
    ...(images.length === 0 ? [] : shown(`Image of ${tool}`, images)),
  ]
}

function shown(title: string, images: readonly Image[]): UserContent {
  return [
    text(`${title}, data like all that the device gives:`),
    ...images.map(({ mediaType, data }) => ({ type: 'file' as const, mediaType, data: { type: 'data' as const, data } })),
  ]
}
