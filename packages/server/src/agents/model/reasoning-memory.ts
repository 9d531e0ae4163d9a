import type { SharedV4ProviderMetadata } from '@ai-sdk/provider'
import type { MetadataExtractor } from '@ai-sdk/openai-compatible'

/** Under this name a turn has the reasoning that came with it. */
export const REASONING = 'orreryReasoning'

/** The names under which endpoints send the thoughts of a turn, and want them back. */
const TEXTS = ['reasoning_content', 'reasoning'] as const
const DETAILS = 'reasoning_details'

type Json = Record<string, unknown>

/** Collects the reasoning of a turn under the name that the endpoint uses, so that it goes back as it came. */
export const reasoningMemory: MetadataExtractor = {
  extractMetadata: ({ parsedBody }) => {
    const memory = new Memory()
    memory.take(parsedBody, 'message')
    return Promise.resolve(memory.metadata)
  },
  createStreamExtractor: () => {
    const memory = new Memory()
    return {
      processChunk: (chunk) => memory.take(chunk, 'delta'),
      buildMetadata: () => memory.metadata,
    }
  },
}

class Memory {
  readonly #texts = new Map<string, string>()
  readonly #details: Json[] = []

  take(body: unknown, key: 'message' | 'delta'): void {
    const choices = isObject(body) && Array.isArray(body['choices']) ? (body['choices'] as unknown[]) : []
    const said = isObject(choices[0]) ? choices[0][key] : null
    if (!isObject(said)) return
    for (const name of TEXTS) {
      const text = said[name]
      if (typeof text === 'string' && text !== '') this.#texts.set(name, (this.#texts.get(name) ?? '') + text)
    }
    const details = said[DETAILS]
    if (Array.isArray(details)) for (const detail of details as unknown[]) if (isObject(detail)) this.#add(detail)
  }

  get metadata(): SharedV4ProviderMetadata | undefined {
    if (this.#texts.size === 0 && this.#details.length === 0) return undefined
    const all = { ...Object.fromEntries(this.#texts), ...(this.#details.length === 0 ? {} : { [DETAILS]: this.#details }) }
    return { [REASONING]: JSON.parse(JSON.stringify(all)) as SharedV4ProviderMetadata[string] }
  }

  /** A detail comes in pieces, which have the same place. */
  #add(piece: Json): void {
    const last = this.#details.at(-1)
    if (last === undefined || last['type'] !== piece['type'] || last['index'] !== piece['index'] || piece['index'] === undefined)
      return void this.#details.push({ ...piece })
    for (const [name, value] of Object.entries(piece)) {
      const before = last[name]
      const grows = ['text', 'summary', 'data'].includes(name) && typeof before === 'string' && typeof value === 'string'
      if (grows) last[name] = before + value
      else if (value !== null || !(name in last)) last[name] = value
    }
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
