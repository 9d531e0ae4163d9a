/** Who serves a model, which decides how it is spoken to. `openai-compatible` is any endpoint with OpenAI's chat completions. */
export type ProviderName = 'openai' | 'anthropic' | 'openai-compatible' | 'ollama'

/** What a model costs, in US dollars for a million tokens. */
export interface Prices {
  input: number
  output: number
  /** Input that the provider had in its cache; default: as other input. */
  cached_input?: number | undefined
}

/** One model at one endpoint. */
export interface ModelEndpoint {
  provider: ProviderName
  model: string
  /** Without a slash at its end; null: the provider's own. */
  baseUrl: string | null
  apiKey: string | null
  /** The settings that these came from, as errors name them. */
  settings: { model: string; apiKey: string; baseUrl: string }
  /** Size of the model's window, in tokens. */
  contextTokens: number
  /** Longest answer, in tokens; null: the provider's default. */
  maxOutputTokens: number | null
  temperature: number | null
  /** Whether its answers are read as they are written. */
  stream: boolean
  /** Whether it is shown images. */
  images: boolean
  prices: Prices | null
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

/** A configured model, and what to do when it fails. */
export interface ModelSettings {
  main: ModelEndpoint
  /** Asked when the main one has failed for good. */
  fallback: ModelEndpoint | null
  /** Milliseconds without any sign of the endpoint until a request is given up. */
  timeoutMs: number
  /** How often a request is repeated that failed in a way that may pass. */
  retries: number
  /** Milliseconds that a question to the user waits for its answer. */
  questionMs: number
  limits: ModelLimits
}

/** Where a model is, for people to read. */
export function addressOf({ baseUrl, provider }: ModelEndpoint): string {
  return baseUrl ?? `the address of ${provider}`
}

/** A text without the keys of the settings, which must reach no prompt, event or log. */
export function withoutSecrets(text: string, { main, fallback }: ModelSettings): string {
  let clean = text
  for (const key of [main.apiKey, fallback?.apiKey]) {
    // A short key, such as the 'none' that some endpoints want, is no secret and may be a word.
    if (key !== null && key !== undefined && key.length >= 8) clean = clean.replaceAll(key, '[key]')
  }
  return clean
}
