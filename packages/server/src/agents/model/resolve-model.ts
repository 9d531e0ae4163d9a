import { aipError } from '@orrery/aip'
import type { EndpointConfig, ModelConfig } from '../../config/model-config.js'
import { proxyVariablesIn } from '@orrery/aip/node'
import type { ModelEndpoint, ModelSettings, ProviderName } from './model-settings.js'

/** Environment variables, in the form of `process.env`. */
export type ModelEnvironment = Readonly<Record<string, string | undefined>>

/** A value and the setting that it comes from. */
interface Found<T> {
  value: T
  setting: string
}

/** Window sizes that are safe to assume, in tokens. Ollama silently cuts off what exceeds its own, much smaller, default. */
const CONTEXT: Record<ProviderName, number> = { openai: 128_000, anthropic: 180_000, 'openai-compatible': 32_000, ollama: 16_000 }
type EndpointOptions = Omit<EndpointConfig, 'name'>

const PREFIX = /^(openai|anthropic|ollama)\/(.+)$/
const OPENAI = /^https:\/\/api\.openai\.com(\/|$)/

/**
 * Returns the model that environment and configuration name; ORRERY_MODEL takes precedence over the name in the configuration.
 * @param env OPENAI_API_KEY, OPENAI_BASE_URL, ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, OLLAMA_HOST, ORRERY_MODEL, HTTP_PROXY, HTTPS_PROXY, NO_PROXY
 * @param config the block `model` of the server's configuration
 * @returns null if no model is named
 * @throws AipError `INVALID_CONFIG` that names the missing or wrong setting
 */
export function resolveModel(env: ModelEnvironment, config?: ModelConfig): ModelSettings | null {
  const named = variable(env, 'ORRERY_MODEL')
  const name = named === null ? found(config?.name, 'model.name') : { value: named, setting: 'ORRERY_MODEL' }
  if (name === null) {
    if (config !== undefined) throw misconfigured('model.name is missing: name a model there or in ORRERY_MODEL')
    return null
  }
  const { fallback } = config ?? {}
  const main = endpointOf(name, config ?? {}, env, 'model')
  const spare =
    fallback === undefined
      ? null
      : endpointOf({ value: fallback.name, setting: 'model.fallback.name' }, fallback, env, 'model.fallback')
  const limits = config?.limits
  if (limits?.cost_usd !== undefined && [main, spare].some((endpoint) => endpoint !== null && endpoint.prices === null))
    throw misconfigured('model.limits.cost_usd needs the prices of each model: set model.prices')
  return {
    main,
    fallback: spare,
    timeoutMs: (config?.timeout_s ?? 120) * 1000,
    retries: config?.retries ?? 4,
    questionMs: (config?.question_s ?? 600) * 1000,
    limits: {
      steps: limits?.steps ?? 50,
      tokens: limits?.tokens ?? null,
      timeMs: (limits?.time_s ?? 3600) * 1000,
      cost: limits?.cost_usd ?? null,
    },
  }
}

function endpointOf(name: Found<string>, config: EndpointOptions, env: ModelEnvironment, block: string): ModelEndpoint {
  const { provider, model } = providerOf(name, config, env)
  const baseUrl = baseUrlOf(provider, config, env, block)
  if (baseUrl.value !== null && holdsPassword(baseUrl.value))
    throw misconfigured(
      `${baseUrl.setting} has a user or a password in it, which cannot be sent like that: the key has a setting of its own`,
    )
  const apiKey = keyOf(provider, name, config, env, block)
  return {
    provider,
    model,
    baseUrl: baseUrl.value?.replace(/\/+$/, '') ?? null,
    apiKey: apiKey.value,
    settings: { model: name.setting, apiKey: apiKey.setting, baseUrl: baseUrl.setting },
    contextTokens: config.context_tokens ?? CONTEXT[provider],
    maxOutputTokens: config.max_output_tokens ?? null,
    temperature: config.temperature ?? null,
    stream: config.stream ?? true,
    images: config.images ?? true,
    // A model on one's own machine costs nothing.
    proxies: proxyVariablesIn(env),
    prices: config.prices ?? (provider === 'ollama' ? { input: 0, output: 0 } : null),
  }
}

/** Returns who serves a model: as configured, else by the endpoint that is set, else by the name, else by the keys. */
function providerOf(
  name: Found<string>,
  config: EndpointOptions,
  env: ModelEnvironment,
): { provider: ProviderName; model: string } {
  const whole = name.value
  if (config.provider !== undefined) return { provider: config.provider, model: whole }
  const base = config.base_url ?? variable(env, 'OPENAI_BASE_URL')
  // Such an endpoint chooses its own names: at some, 'anthropic/…' is the whole name.
  if (base !== null) return { provider: OPENAI.test(base) ? 'openai' : 'openai-compatible', model: whole }
  const [, prefix, rest] = PREFIX.exec(whole) ?? []
  if (rest !== undefined && (prefix === 'openai' || prefix === 'anthropic' || prefix === 'ollama'))
    return { provider: prefix, model: rest }
  const [openai, anthropic, ollama] = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'OLLAMA_HOST'].map((key) => variable(env, key))
  if (whole.startsWith('claude')) return { provider: 'anthropic', model: whole }
  if (openai !== null && openai !== undefined) return { provider: 'openai', model: whole }
  if (anthropic !== null && anthropic !== undefined) return { provider: 'anthropic', model: whole }
  if (ollama !== null && ollama !== undefined) return { provider: 'ollama', model: whole }
  throw misconfigured(
    `${name.setting} is '${whole}', but nothing says where it is served: set OPENAI_API_KEY, ANTHROPIC_API_KEY, OPENAI_BASE_URL or OLLAMA_HOST`,
  )
}

function baseUrlOf(provider: ProviderName, config: EndpointOptions, env: ModelEnvironment, block: string): Found<string | null> {
  if (config.base_url !== undefined) return { value: config.base_url, setting: `${block}.base_url` }
  switch (provider) {
    case 'ollama':
      return { value: ollamaUrl(variable(env, 'OLLAMA_HOST') ?? '127.0.0.1:11434'), setting: 'OLLAMA_HOST' }
    case 'anthropic':
      return { value: addressIn(env, 'ANTHROPIC_BASE_URL'), setting: 'ANTHROPIC_BASE_URL' }
    case 'openai':
    case 'openai-compatible': {
      const value = addressIn(env, 'OPENAI_BASE_URL')
      if (provider === 'openai-compatible' && value === null)
        throw misconfigured(
          `${block}.provider is 'openai-compatible', but there is no address: set ${block}.base_url or OPENAI_BASE_URL`,
        )
      return { value, setting: 'OPENAI_BASE_URL' }
    }
  }
}

function holdsPassword(address: string): boolean {
  const { username, password } = new URL(address)
  return username !== '' || password !== ''
}

/** Completes Ollama's own variable, which may lack protocol and port, and may be the address that a server listens on. */
function ollamaUrl(host: string): string {
  const text = /^https?:\/\//.test(host) ? host : `http://${host}`
  if (!URL.canParse(text))
    throw misconfigured(`OLLAMA_HOST is '${host}', which is not an address: it must be like 127.0.0.1:11434`)
  const url = new URL(text)
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1'
  if (url.port === '' && !/:\d+\/*$/.test(text) && url.protocol === 'http:') url.port = '11434'
  return `${url.href.replace(/\/+$/, '')}/v1`
}

function keyOf(
  provider: ProviderName,
  name: Found<string>,
  config: EndpointOptions,
  env: ModelEnvironment,
  block: string,
): Found<string | null> {
  if (config.api_key !== undefined) return { value: config.api_key, setting: `${block}.api_key` }
  const setting = config.api_key_env ?? (provider === 'anthropic' ? 'ANTHROPIC_API_KEY' : 'OPENAI_API_KEY')
  const value = variable(env, setting)
  const needed = config.api_key_env !== undefined || provider === 'openai' || provider === 'anthropic'
  if (value === null && needed) throw misconfigured(`${name.setting} is '${name.value}', but its key is missing: set ${setting}`)
  // A key for OpenAI must not be sent to another server, such as one on this machine.
  return { value: provider === 'ollama' && config.api_key_env === undefined ? null : value, setting }
}

function addressIn(env: ModelEnvironment, name: string): string | null {
  const value = variable(env, name)
  if (value === null || URL.canParse(value)) return value
  throw misconfigured(`${name} is '${value}', which is not an address: it must be like http://127.0.0.1:8000/v1`)
}

function variable(env: ModelEnvironment, name: string): string | null {
  const value = env[name]?.trim()
  return value === undefined || value === '' ? null : value
}

function found<T>(value: T | undefined, setting: string): Found<T> | null {
  return value === undefined ? null : { value, setting }
}

function misconfigured(detail: string): Error {
  return aipError('INVALID_CONFIG', { detail })
}
