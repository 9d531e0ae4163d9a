import type { ProxyVariables } from '@orrery/aip/node'

/** Who serves a model, which decides the protocol. `openai-compatible` is any endpoint with OpenAI's chat completions. */
export type ProviderName = 'openai' | 'anthropic' | 'openai-compatible' | 'ollama'

/** What a model costs, in US dollars per million tokens. */
export interface Prices {
  input: number
  output: number
  /** Input from the provider's cache; default: as other input. */
  cached_input?: number | undefined
}

/** One model at one endpoint. */
export interface ModelEndpoint {
  provider: ProviderName
  model: string
  /** Without a trailing slash; null: the provider's own. */
  baseUrl: string | null
  apiKey: string | null
  /** The settings that these came from, as errors name them. */
  settings: { model: string; apiKey: string; baseUrl: string }
  /** Size of the model's window, in tokens. */
  contextTokens: number
  /** Longest answer, in tokens; null: the provider's default. */
  maxOutputTokens: number | null
  temperature: number | null
  /** Whether its answers are streamed. */
  stream: boolean
  /** Whether images are sent to it. */
  images: boolean
  prices: Prices | null
  /** The variables that name the proxies by which it is reached, and what is reached directly. */
  proxies: ProxyVariables
}

/** What one session may use; null: no limit. */
export interface ModelLimits {
  /** Turns of the model. */
  steps: number
  /** Tokens of all turns, in and out. */
  tokens: number | null
  /** Milliseconds since the session began. */
  timeMs: number | null
  /** US dollars. */
  cost: number | null
}

/** A configured model, and what to do if it fails. */
export interface ModelSettings {
  main: ModelEndpoint
  /** Used when the main one has failed permanently. */
  fallback: ModelEndpoint | null
  /** Milliseconds of silence after which a request is abandoned. */
  timeoutMs: number
  /** How often a request is repeated after a transient failure. */
  retries: number
  /** Milliseconds that a question to the user waits for its answer. */
  questionMs: number
  limits: ModelLimits
}

/** Returns a human-readable place of a model. */
export function addressOf({ baseUrl, provider }: ModelEndpoint): string {
  return baseUrl ?? `the address of ${provider}`
}

/** Returns the keys of the settings; they must not reach a prompt, event or log. */
export function modelKeys({ main, fallback }: ModelSettings): (string | null)[] {
  return [main.apiKey, fallback?.apiKey ?? null]
}
