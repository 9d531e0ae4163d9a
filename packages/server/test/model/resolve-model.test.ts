import { resolveModel } from '@orrery/server'
import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../src/config/model-config.js'

describe('which model is meant', () => {
  it.each<[string, Record<string, string>, ModelConfig | undefined, Record<string, unknown>]>([
    [
      'OpenAI by its key',
      { ORRERY_MODEL: 'gpt-x', OPENAI_API_KEY: 'k' },
      undefined,
      { provider: 'openai', model: 'gpt-x', apiKey: 'k', baseUrl: null },
    ],
    [
      'Anthropic by the name, though both keys are there',
      { ORRERY_MODEL: 'claude-x', OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'a' },
      undefined,
      { provider: 'anthropic', apiKey: 'a' },
    ],
    [
      'Anthropic by a prefix',
      { ORRERY_MODEL: 'anthropic/x', ANTHROPIC_API_KEY: 'a' },
      undefined,
      { provider: 'anthropic', model: 'x' },
    ],
    [
      'an endpoint by its address; its names are its own',
      { ORRERY_MODEL: 'anthropic/claude', OPENAI_BASE_URL: 'https://router.example/v1/', OPENAI_API_KEY: 'k' },
      undefined,
      { provider: 'openai-compatible', model: 'anthropic/claude', baseUrl: 'https://router.example/v1' },
    ],
    [
      'an endpoint without a key',
      { ORRERY_MODEL: 'm', OPENAI_BASE_URL: 'http://127.0.0.1:8000/v1' },
      undefined,
      { provider: 'openai-compatible', apiKey: null },
    ],
    [
      'OpenAI by its own address',
      { ORRERY_MODEL: 'm', OPENAI_BASE_URL: 'https://api.openai.com/v1', OPENAI_API_KEY: 'k' },
      undefined,
      { provider: 'openai' },
    ],
    [
      'Ollama where it usually is',
      { ORRERY_MODEL: 'ollama/llama3.1:8b' },
      undefined,
      { provider: 'ollama', model: 'llama3.1:8b', baseUrl: 'http://127.0.0.1:11434/v1', apiKey: null },
    ],
    [
      'Ollama by its variable, a listening address',
      { ORRERY_MODEL: 'qwen', OLLAMA_HOST: '0.0.0.0' },
      undefined,
      { provider: 'ollama', baseUrl: 'http://127.0.0.1:11434/v1' },
    ],
    [
      'Ollama elsewhere',
      { ORRERY_MODEL: 'ollama/qwen', OLLAMA_HOST: 'https://gpu.example:8443/' },
      undefined,
      { baseUrl: 'https://gpu.example:8443/v1' },
    ],
    [
      'that of the configuration',
      { MY_KEY: 'k' },
      { name: 'm', base_url: 'http://x/v1', api_key_env: 'MY_KEY', context_tokens: 9000 },
      {
        provider: 'openai-compatible',
        apiKey: 'k',
        contextTokens: 9000,
        settings: { model: 'model.name', apiKey: 'MY_KEY', baseUrl: 'model.base_url' },
      },
    ],
    [
      'the name in the environment before that of the configuration',
      { ORRERY_MODEL: 'other', OPENAI_API_KEY: 'k' },
      { name: 'm', provider: 'openai' },
      { model: 'other' },
    ],
  ])('%s', (_case, env, config, endpoint) => {
    expect(resolveModel(env, config)?.main).toMatchObject(endpoint)
  })

  it('none, while none is named', () => {
    expect(resolveModel({ OPENAI_API_KEY: 'k' })).toBeNull()
    expect(resolveModel({ ORRERY_MODEL: ' ' })).toBeNull()
  })

  it('has limits and a fallback from the configuration', () => {
    const settings = resolveModel(
      { OPENAI_API_KEY: 'k' },
      { name: 'm', provider: 'openai', retries: 1, limits: { steps: 5, time_s: 60 }, fallback: { name: 'ollama/small' } },
    )
    expect(settings).toMatchObject({
      retries: 1,
      limits: { steps: 5, timeMs: 60_000, tokens: null },
      fallback: { provider: 'ollama', model: 'small' },
    })
  })

  it.each<[Record<string, string>, ModelConfig | undefined, RegExp]>([
    [{ ORRERY_MODEL: 'gpt-x' }, undefined, /ORRERY_MODEL is 'gpt-x', but nothing says where it is served: set OPENAI_API_KEY/],
    [{ ORRERY_MODEL: 'anthropic/x' }, undefined, /its key is missing: set ANTHROPIC_API_KEY/],
    [{ ORRERY_MODEL: 'openai/x' }, undefined, /its key is missing: set OPENAI_API_KEY/],
    [{ ORRERY_MODEL: 'x', OPENAI_BASE_URL: 'nonsense' }, undefined, /OPENAI_BASE_URL is 'nonsense', which is not an address/],
    [{ ORRERY_MODEL: 'ollama/x', OLLAMA_HOST: 'http://:x' }, undefined, /OLLAMA_HOST is 'http:\/\/:x', which is not an address/],
    [
      { ORRERY_MODEL: 'claude-x', ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: 'x' },
      undefined,
      /ANTHROPIC_BASE_URL is 'x', which is not an address/,
    ],
    [
      { ORRERY_MODEL: 'x', OPENAI_BASE_URL: 'http://me:secret@x/v1' },
      undefined,
      /^OPENAI_BASE_URL has a user or a password in it, (?!.*secret)/,
    ],
    [{}, { provider: 'openai' }, /model.name is missing/],
    [{}, { name: 'x', provider: 'openai-compatible' }, /set model.base_url or OPENAI_BASE_URL/],
    [{}, { name: 'x', base_url: 'http://x', api_key_env: 'MINE' }, /its key is missing: set MINE/],
    [{}, { name: 'x', base_url: 'http://x', limits: { cost_usd: 1 } }, /cost_usd needs the prices/],
  ])('refuses %j %j', (env, config, message) => {
    expect(() => resolveModel(env, config)).toThrow(message)
  })
})
