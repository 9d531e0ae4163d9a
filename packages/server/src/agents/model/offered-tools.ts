import { shortened } from '@orrery/aip'
import type { ModelTools } from './model-tools.js'
import { OWN_TOOLS } from './own-tools.js'
import { Untrusted } from './untrusted.js'
import { SERVER_LIMITS } from '../../limits.js'

/** The tools of a device of which a model is offered as many as its provider accepts: those that it has looked for, and the first others. */
export class OfferedTools {
  readonly #all: ModelTools
  readonly #room = SERVER_LIMITS.modelTools - OWN_TOOLS.length
  /** Names that were found, the latest first. */
  #found: string[] = []

  constructor(all: ModelTools) {
    this.#all = all
  }

  /** Whether there are tools that are not offered. */
  get hidden(): boolean {
    return this.#all.list.length > this.#room
  }

  get list(): ModelTools['list'] {
    const offered = this.#offered()
    return this.#all.list.filter(({ name }) => offered.has(name))
  }

  /** What the device says of the tools that are offered. */
  get prose(): ModelTools['prose'] {
    const offered = this.#offered()
    return Object.fromEntries(Object.entries(this.#all.prose).filter(([name]) => offered.has(name)))
  }

  /** Finds tools whose names and descriptions have the words of a query; they are offered from then on. @returns what the device says of them */
  find(query: string): Untrusted | null {
    const words = query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
    const found = Object.entries(this.#all.prose)
      .map(([name, { description }]) => ({ name, description, score: scoreOf(words, name, description) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, SERVER_LIMITS.modelToolsFound)
    if (found.length === 0) return null
    const names = found.map(({ name }) => name)
    this.#found = [...names, ...this.#found.filter((name) => !names.includes(name))].slice(0, this.#room)
    return Untrusted.lines(
      found.map(({ name, description }) => `${name}: ${shortened(description, SERVER_LIMITS.modelFoundText)}`),
    )
  }

  #offered(): ReadonlySet<string> {
    const names = [...this.#found, ...this.#all.list.map(({ name }) => name)]
    return new Set([...new Set(names)].slice(0, this.#room))
  }
}

/** A word in the name counts more than one in the description. */
function scoreOf(words: readonly string[], name: string, description: string): number {
  const [title, text] = [name.toLowerCase(), description.toLowerCase()]
  return words.reduce((score, word) => score + (title.includes(word) ? 3 : 0) + (text.includes(word) ? 1 : 0), 0)
}
