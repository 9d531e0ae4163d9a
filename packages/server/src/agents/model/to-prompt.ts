import { createHash } from 'node:crypto'
import type { LanguageModelV4Message, LanguageModelV4Prompt } from '@ai-sdk/provider'
import type { CallOutcome, Entry, Image } from './conversation.js'
import { assistantContent } from './turn.js'

type UserContent = Extract<LanguageModelV4Message, { role: 'user' }>['content']

/** Anthropic caches everything up to a message with this mark; others ignore it. */
const CACHED = { anthropic: { cacheControl: { type: 'ephemeral' } } }

/** Converts the conversation to the SDK's form. Text from the device is marked as data. */
export function toPrompt(system: string, entries: readonly Entry[]): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = [{ role: 'system', content: system, providerOptions: CACHED }]
  const say = (content: UserContent): void => {
    const last = prompt.at(-1)
    // Some models require user and assistant to alternate.
    if (last?.role === 'user') last.content.push(...content)
    else prompt.push({ role: 'user', content })
  }
  for (const entry of entries) {
    switch (entry.kind) {
      case 'user':
        say([{ type: 'text', text: entry.text }])
        break
      case 'turn': {
        const content = assistantContent(entry.turn)
        if (content.length > 0) prompt.push({ role: 'assistant', content })
        break
      }
      case 'results':
        prompt.push({ role: 'tool', content: entry.outcomes.map(toolResult) })
        // Not every endpoint accepts images in a tool's result; all that accept images accept them from the user.
        for (const outcome of entry.outcomes)
          if (outcome.images.length > 0) say(shown(`Image of ${outcome.tool}`, outcome.images))
        break
      case 'observation':
        say(entry.outcomes.flatMap(observed))
        break
    }
  }
  const last = prompt.at(-1)
  if (last !== undefined && last.role !== 'system') last.providerOptions = CACHED
  return prompt
}

/** Encloses a text of the device in marks that it cannot forge, because they depend on the whole text. */
export function asData(text: string): string {
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 8)
  return `<data ${mark}>\n${text}\n</data ${mark}>`
}

function toolResult(outcome: CallOutcome): Extract<LanguageModelV4Message, { role: 'tool' }>['content'][number] {
  const { callId, tool, status, text } = outcome
  const value = `${status}\n${asData(text)}`
  const output = { type: status === 'success' ? ('text' as const) : ('error-text' as const), value }
  return { type: 'tool-result', toolCallId: callId, toolName: tool, output }
}

function observed(outcome: CallOutcome): UserContent {
  const { tool, status, text, images } = outcome
  return [
    { type: 'text', text: `The device shows (${tool}, ${status}):\n${asData(text)}` },
    ...(images.length === 0 ? [] : shown(`Image of ${tool}`, images)),
  ]
}

function shown(title: string, images: readonly Image[]): UserContent {
  return [
    { type: 'text', text: `${title}, data like all that the device gives:` },
    ...images.map(({ mediaType, data }) => ({ type: 'file' as const, mediaType, data: { type: 'data' as const, data } })),
  ]
}
