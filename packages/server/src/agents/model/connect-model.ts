import type { LanguageModelV4 } from '@ai-sdk/provider'
import { proxiedFetch } from '@orrery/aip/node'
import { endpointFetch } from './endpoint-fetch.js'
import type { ModelEndpoint } from './model-settings.js'
import { reasoningMemory } from './reasoning-memory.js'

/** Connects to a model. Its provider's SDK is loaded now rather than when the server starts. */
export async function connectModel({ provider, model, baseUrl, apiKey, proxies }: ModelEndpoint): Promise<LanguageModelV4> {
  const address = baseUrl === null ? {} : { baseURL: baseUrl }
  // An empty key rather than none: without one, the SDK would look for a key in the environment.
  const key = apiKey ?? ''
  const send = endpointFetch(proxiedFetch(proxies))
  switch (provider) {
    case 'openai': {
      const { createOpenAI } = await import('@ai-sdk/openai')
      return createOpenAI({ ...address, apiKey: key, fetch: send }).chat(model)
    }
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic')
      // The variable for this address is commonly set without the version.
      const baseURL = baseUrl === null || /\/v\d+$/.test(baseUrl) ? baseUrl : `${baseUrl}/v1`
      return createAnthropic({ ...(baseURL === null ? {} : { baseURL }), apiKey: key, fetch: send })(model)
    }
    case 'openai-compatible':
    case 'ollama': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
      return createOpenAICompatible({
        name: provider,
        baseURL: baseUrl ?? '',
        includeUsage: true,
        metadataExtractor: reasoningMemory,
        fetch: send,
        ...(apiKey === null ? {} : { apiKey }),
      })(model)
    }
  }
}
