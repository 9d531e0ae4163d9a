import type { LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import type { Image } from './conversation.js'
import { namesImages } from './failure-kind.js'
import { longerSide } from './image-side.js'
import type { ModelFailure } from './model-failure.js'
import type { ModelEndpoint } from './model-settings.js'
import { isOwnTool } from './own-tools.js'
import type { ReasoningBack } from './turn.js'
import { SERVER_LIMITS } from '../../limits.js'

/** What was in a request that an endpoint refused. */
export interface Sent {
  images: readonly Image[]
  tools: readonly LanguageModelV4FunctionTool[]
  /** Whether a turn in it had reasoning. */
  reasoning: boolean
  /** Whether a turn in it had none. */
  unreasoned: boolean
}

/** What an endpoint says that wants reasoning back, and what one says that does not. */
const MISSING = /missing|required|must|passed? back|provide/i
const UNWANTED = /\b(not|unsupported|unexpected|remove|without|extra)\b|n't/i
/** Failures that an image in the request may be the cause of, whatever their words. */
const MAY_BE_AN_IMAGE: ReadonlySet<string> = new Set(['refused', 'unknown', 'tools', 'foreign', 'context'])

/** The form in which an endpoint accepts the requests of one session, as its refusals have shown. */
export class RequestShape {
  readonly #endpoint: ModelEndpoint
  /** The share of its configured window that it really has. */
  #window = 1
  #images: boolean
  /** Images from these sizes on are left out. */
  #characters = Infinity
  #side = Infinity
  #leftOutApart = 0
  #temperature = true
  #maxTokens: 'max_tokens' | 'max_completion_tokens' | null = 'max_tokens'
  #reasoning: ReasoningBack = 'as it came'
  #mostTools = Infinity
  #plainTools = false
  readonly #leftOutTools = new Set<string>()

  constructor(endpoint: ModelEndpoint) {
    this.#endpoint = endpoint
    this.#images = endpoint.images
  }

  /** Size of the window to fill, in tokens. */
  get window(): number {
    return Math.floor(this.#endpoint.contextTokens * this.#window)
  }

  /** How the reasoning of earlier turns goes back. */
  get reasoning(): ReasoningBack {
    return this.#reasoning
  }

  get temperature(): number | null {
    return this.#temperature ? this.#endpoint.temperature : null
  }

  /** The longest answer, in tokens, with the name that the endpoint has for it; null for its own default. */
  get maxTokens(): { name: 'max_tokens' | 'max_completion_tokens'; value: number } | null {
    const { maxOutputTokens: value } = this.#endpoint
    return value === null || this.#maxTokens === null ? null : { name: this.#maxTokens, value }
  }

  /** Returns whether an image is sent. */
  accepts(image: Image): boolean {
    return (
      this.#images && image.data.length < this.#characters && (this.#side === Infinity || (longerSide(image) ?? 0) < this.#side)
    )
  }

  /** Returns the tools as they are offered. */
  offered(tools: readonly LanguageModelV4FunctionTool[]): LanguageModelV4FunctionTool[] {
    const kept = tools.filter(({ name }) => !this.#leftOutTools.has(name)).slice(0, Math.max(this.#mostTools, 1))
    return this.#plainTools ? kept.map((tool) => (isOwnTool(tool.name) ? tool : { ...tool, inputSchema: plain(tool) })) : kept
  }

  /** Changes the form so that a refused request may be accepted. @returns what has changed, for the log; null if nothing can be */
  adapt(failure: ModelFailure, sent: Sent): string | null {
    return this.#adaptTo(failure, sent) ?? this.#withoutImages(failure, sent)
  }

  #adaptTo(failure: ModelFailure, sent: Sent): string | null {
    switch (failure.kind) {
      case 'context':
        if (this.#window <= 1 / 2 ** SERVER_LIMITS.modelHalvings) return null
        this.#window /= 2
        return 'the conversation is shortened'
      case 'image size':
        return this.#withoutLargest(failure, sent)
      case 'images':
        if (sent.images.length === 0) return null
        this.#images = false
        return 'images are left out'
      case 'temperature':
        if (this.temperature === null) return null
        this.#temperature = false
        return 'model.temperature is left out'
      case 'max tokens':
        if (this.maxTokens === null || !/completion_tokens|not supported/i.test(failure.said)) return null
        this.#maxTokens = this.#maxTokens === 'max_tokens' ? 'max_completion_tokens' : null
        return this.#maxTokens === null ? 'model.max_output_tokens is left out' : 'it is called max_completion_tokens'
      case 'reasoning':
        return this.#otherReasoning(failure, sent)
      case 'tool count':
        return this.#withFewerTools(failure, sent)
      case 'tool schema':
        return this.#withoutTool(failure, sent)
      case 'cut':
      case 'foreign':
      case 'key':
      case 'overloaded':
      case 'page':
      case 'quota':
      case 'rate':
      case 'refused':
      case 'silent':
      case 'tools':
      case 'unknown':
      case 'unreachable':
        return null
    }
  }

  /** Every endpoint has its own words for an image that it does not take: what it refuses with images, it may accept without. */
  #withoutImages({ kind, status, said }: ModelFailure, { images }: Sent): string | null {
    const mayBe = status !== null && (status < 500 ? MAY_BE_AN_IMAGE.has(kind) : namesImages(said))
    if (images.length === 0 || !this.#images || !mayBe) return null
    this.#images = false
    return 'images are left out'
  }

  #withoutLargest({ said }: ModelFailure, { images }: Sent): string | null {
    if (images.length === 0) return null
    this.#leftOutApart += 1
    if (this.#leftOutApart > SERVER_LIMITS.modelImagesApart) {
      this.#images = false
      return 'images are left out'
    }
    const sides = images.map((image) => longerSide(image) ?? 0)
    if (/pixel|dimension|resolution/i.test(said) && Math.max(...sides) > 0) this.#side = Math.max(...sides)
    else this.#characters = Math.max(...images.map(({ data }) => data.length))
    return 'the largest image is left out'
  }

  #otherReasoning({ said }: ModelFailure, { reasoning, unreasoned }: Sent): string | null {
    if (MISSING.test(said) && !UNWANTED.test(said)) {
      if (this.#reasoning !== 'as it came' || !unreasoned) return null
      this.#reasoning = 'filled'
      return 'turns without reasoning get an empty one'
    }
    if (this.#reasoning === 'none' || (!reasoning && this.#reasoning !== 'filled')) return null
    this.#reasoning = 'none'
    return 'reasoning is left out'
  }

  #withFewerTools({ said }: ModelFailure, { tools }: Sent): string | null {
    const numbers = [...said.matchAll(/\b\d+\b/g)].map(([number]) => Number(number))
    const most = Math.max(...numbers.filter((number) => number > 0 && number < tools.length))
    const fewer = Number.isFinite(most) ? most : Math.floor(tools.length / 2)
    if (fewer < 1 || fewer >= tools.length) return null
    this.#mostTools = fewer
    return `only ${fewer} tools are offered`
  }

  #withoutTool({ said }: ModelFailure, { tools }: Sent): string | null {
    const places = new Set(
      [...said.matchAll(/\b(?:tools|functions|function_declarations)(?:\[|\.)(\d+)/g)].map(([, place]) => Number(place)),
    )
    const others = tools.filter(({ name }) => !isOwnTool(name))
    const tool = others.find(({ name }) => isNamed(name, said)) ?? others.find((each) => places.has(tools.indexOf(each)))
    if (tool !== undefined && this.#leftOutTools.size < SERVER_LIMITS.modelToolsLeftOut) {
      this.#leftOutTools.add(tool.name)
      return `the tool '${tool.name}' is left out`
    }
    if (this.#plainTools) return null
    this.#plainTools = true
    return 'tools are offered with the names of their arguments alone'
  }
}

/** A name that is also a word counts only between quotes. */
function isNamed(name: string, text: string): boolean {
  const quoted = [`'${name}'`, `"${name}"`, `\`${name}\``, `${name}:`].some((each) => text.includes(each))
  return quoted || (/[_-]/.test(name) && text.includes(name))
}

function plain({ inputSchema }: LanguageModelV4FunctionTool): LanguageModelV4FunctionTool['inputSchema'] {
  const { properties = {}, required } = inputSchema
  const names = Object.fromEntries(Object.keys(properties).map((name) => [name, {}]))
  return { type: 'object', properties: names, ...(required === undefined ? {} : { required }) }
}
