import { shortened as shortenedText } from '@orrery/aip'
import type { Entry } from './conversation.js'
import { jsonText } from './json-text.js'
import { mapOutcomes, withoutImages } from './left-out-images.js'
import { Untrusted } from './untrusted.js'
import { SERVER_LIMITS } from '../../limits.js'

/** Characters per token, conservative for code and JSON. */
const CHARS_PER_TOKEN = 3
/** Tokens per image, a conservative estimate. */
const IMAGE_TOKENS = 1600

/** Estimates how many tokens a text takes. */
export function tokensOf(text: string | Untrusted): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN)
}

/**
 * Makes a conversation fit the model's window. What the user said always stays; the rest is cut in this order until it fits: older
 * observations, images (oldest first), the texts of older results, whole older turns (one line of each remains), and finally the
 * texts of the newest results. The same conversation always gives the same result.
 * @param maxTokens the available size
 * @param images whether the model accepts images at all
 */
export function fitConversation(conversation: readonly Entry[], maxTokens: number, images: boolean): Entry[] {
  let entries = latestObservationOnly(conversation)
  if (!images) entries = entries.map((entry) => withoutImages(entry))
  const fits = (): boolean => sizeOf(entries) <= maxTokens
  const shrink = (change: (entry: Entry) => Entry, upTo: number): void => {
    for (let index = 0; index < upTo && !fits(); index += 1) entries = entries.with(index, change(entries[index] as Entry))
  }
  const lastWith = (test: (entry: Entry) => boolean): number => entries.findLastIndex(test)
  shrink(
    (entry) => withoutImages(entry),
    lastWith((entry) => imagesOf(entry) > 0),
  )
  shrink(
    shortened(SERVER_LIMITS.modelOldResult),
    lastWith((entry) => entry.kind === 'results'),
  )
  if (!fits()) entries = collapsed(entries, maxTokens)
  shrink((entry) => withoutImages(entry), entries.length)
  for (let length = 64_000; length >= SERVER_LIMITS.modelOldResult / 2 && !fits(); length /= 2)
    shrink(shortened(length), entries.length)
  return entries
}

/** Estimates the size of entries in tokens. */
export function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entrySize(entry), 0)
}

function entrySize(entry: Entry): number {
  switch (entry.kind) {
    case 'user':
    case 'summary':
      return tokensOf(entry.text) + 8
    case 'turn': {
      const { text, calls, content, reasoning = {} } = entry.turn
      const said = content === null ? tokensOf(text) + tokensOf(JSON.stringify(calls)) : tokensOf(JSON.stringify(content))
      return said + tokensOf(JSON.stringify(reasoning)) + 8
    }
    case 'results':
    case 'observation':
      return entry.outcomes.reduce(
        (sum, { text, tool }) => sum + tokensOf(text) + tokensOf(tool) + 40,
        imagesOf(entry) * IMAGE_TOKENS,
      )
  }
}

function imagesOf(entry: Entry): number {
  return 'outcomes' in entry ? entry.outcomes.reduce((sum, { images }) => sum + images.length, 0) : 0
}

/** Drops older observations: only the latest appearance of a device matters. */
function latestObservationOnly(conversation: readonly Entry[]): Entry[] {
  const last = conversation.findLastIndex((entry) => entry.kind === 'observation')
  return conversation.filter((entry, index) => entry.kind !== 'observation' || index === last)
}

function shortened(length: number): (entry: Entry) => Entry {
  return (entry) => mapOutcomes(entry, (outcome) => ({ ...outcome, text: outcome.text.shortened(length) }))
}

/** Replaces as many older turns as necessary, with the outcomes of their calls, by one line each. */
function collapsed(entries: readonly Entry[], maxTokens: number): Entry[] {
  const turns = entries.flatMap((entry, index) => (entry.kind === 'turn' ? [index] : []))
  let result = [...entries]
  for (let count = 1; count <= turns.length - SERVER_LIMITS.modelWholeTurns; count += 1) {
    const until = turns[count] ?? entries.length
    const lines = entries.slice(0, until).flatMap(lineOf)
    // After very many turns even one line for each is too much: the oldest are dropped.
    while (lines.length > 1 && tokensOf(Untrusted.lines(lines)) > maxTokens / 4) lines.shift()
    const summary: Entry = { kind: 'summary', text: Untrusted.lines(lines) }
    const said = entries.slice(0, until).filter((entry) => entry.kind === 'user')
    result = [...said, summary, ...entries.slice(until)]
    if (sizeOf(result) <= maxTokens) break
  }
  return result
}

function lineOf(entry: Entry): Untrusted[] {
  if (entry.kind === 'turn') {
    const calls = entry.turn.calls.map(({ tool, input }) => `${tool} ${clip(jsonText(input), 120)}`)
    return [new Untrusted(`- ${[clip(entry.turn.text, 120), ...calls].filter(Boolean).join('; ')}`)]
  }
  if (entry.kind !== 'results') return []
  return entry.outcomes.map(({ tool, status, text }) => Untrusted.words([`  ${tool}: ${status}, `, text.line(80)]))
}

function clip(text: string, length: number): string {
  return shortenedText(text.replaceAll(/\s+/g, ' '), length)
}
