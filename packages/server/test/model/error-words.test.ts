import { APICallError } from '@ai-sdk/provider'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../../src/agents/model/model-failure.js'
import type { Reply } from '../../../../test/support/scripted-model.js'
import { MODEL_KEY, startModelRig } from '../support/model-rig.js'
import { caseAnswers, replyOf } from './cases/read-case.js'

const ONCE = { retries: 0 }
const LOST = caseAnswers('error-text-lost.json').map(replyOf)
const OTHERS = caseAnswers('errors-taken-for-others.json').map(replyOf)

async function failedWith(script: Reply[], config: object = ONCE): Promise<{ error: unknown; requests: number }> {
  await using rig = await startModelRig({ script, config })
  const session = await rig.run('do it')
  expect(session).toMatchObject({ status: 'failed' })
  return { error: session['error'], requests: rig.model.requests.length }
}

describe('what an endpoint says reaches the user in its words', () => {
  it.each<[string, Reply | undefined, RegExp]>([
    ['a body with a message of its own', LOST[0], /"auto" tool choice requires --enable-auto-tool-choice/],
    ['a rate limit in a body with status 200', LOST[1], /takes no more requests.*429 Rate limit exceeded: free-models-per-day/],
    ['a wrong key in a body with status 200', LOST[2], /refused the key: check OPENAI_API_KEY \(401 Invalid credentials/],
    [
      'a page',
      LOST[3],
      /No model answers at http.*check OPENAI_BASE_URL, and what is between; .*<html><title>Sign in to the network/,
    ],
    [
      'a temperature that is not accepted',
      OTHERS[0],
      /does not accept model.temperature: .*Only the default \(1\) value is supported/,
    ],
    ['a length that has another name', OTHERS[1], /does not accept model.max_output_tokens.*Use 'max_completion_tokens' instead/],
    ['no support for tools', OTHERS[2], /cannot call tools.*No endpoints found that support tool use/],
    ['no such model', OTHERS[3], /There is no model 'scripted'.*try pulling it first/],
    ['an error that is a text', { raw: '{"error":"model is loading"}', status: 503 }, /fails: try later.*503 model is loading/],
    [
      'a list of details',
      { raw: '{"detail":[{"loc":["body","stop"],"msg":"bad value"}]}', status: 422 },
      /422 bad value \(body.stop\)/,
    ],
    [
      'what an aggregator passes on',
      {
        raw: '{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\\"error\\":{\\"message\\":\\"no such voice\\"}}"}}}',
        status: 400,
      },
      /400 Provider returned error: no such voice/,
    ],
    [
      'a list of errors',
      { raw: '[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}]', status: 400 },
      /refused the key.*API key not valid/,
    ],
    [
      'a page of a gateway',
      { raw: '<html><head><title>502 Bad Gateway</title></head></html>', status: 502 },
      /fails: try later.*502 Bad Gateway\)/,
    ],
    ['a text with status 200', { raw: 'upstream connect error', type: 'text/plain' }, /No model answers.*upstream connect error/],
    ['an error in a stream', { raw: 'data: {"error":"out of memory"}\n\n' }, /refused the request: out of memory/],
    [
      'an error in a stream with a code',
      { raw: 'data: {"error":{"message":"slow down","code":429}}\n\n' },
      /takes no more requests.*slow down/,
    ],
    [
      'an error beside choices in a stream',
      {
        raw: 'data: {"choices":[{"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"upstream died"}}\n\n',
      },
      /fails: try later.*502 upstream died/,
    ],
    [
      'an error of another form in a stream',
      { raw: 'data: {"object":"error","message":"no slot","code":503}\n\n' },
      /503 no slot/,
    ],
    ['a stream that is not JSON', { raw: 'data: Internal Server Error\n\n' }, /fails: try later.*Internal Server Error/],
    [
      'an end for an error',
      { raw: 'data: {"choices":[{"delta":{"content":"half"},"finish_reason":"error"}]}\n\ndata: [DONE]\n\n' },
      /stops in the middle/,
    ],
    ['nothing at all', { raw: '' }, /stops in the middle/],
  ])('%s', async (_case, reply, error) => {
    const config = { ...ONCE, ...(reply === OTHERS[0] ? { temperature: 0.2 } : {}) }
    // A setting that is not accepted is left out at once: the answer to the second request is the same.
    expect((await failedWith([reply ?? 'silence'], config)).error).toMatch(error)
  })

  it.each([
    ['an error of a stream', { raw: '{"error":{"message":"Invalid credentials","code":401}}', type: 'application/json' }],
    ['a page', { raw: '<!DOCTYPE html><html>Sign in</html>', type: 'text/html' }],
  ])('%s is reported the same by an endpoint that is not asked for streams', async (_case, reply) => {
    expect((await failedWith([reply], { ...ONCE, stream: false })).error).toMatch(/refused the key|No model answers at/)
  })

  it('a page is not asked for again', async () => {
    expect((await failedWith([LOST[3] ?? 'silence'], { retries: 4 })).requests).toBe(1)
  })

  it('contains no key, and no stack', async () => {
    const { error } = await failedWith([
      { raw: JSON.stringify({ error: { message: `odd ${MODEL_KEY}`, stack: 'at x' } }), status: 400 },
    ])
    expect(error).toMatch(/odd \[key\]/)
    expect(error).not.toContain('at x')
  })
})

describe('what an endpoint does not accept is changed', () => {
  it('an answer that comes as a whole is an answer', async () => {
    await using rig = await startModelRig({ script: [LOST[4] ?? 'silence'] })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'whole' })
    expect(rig.model.requests).toHaveLength(1)
  })

  it('a whole answer of Anthropic is one too', async () => {
    const env = { ORRERY_MODEL: 'anthropic/scripted', ANTHROPIC_BASE_URL: 'MODEL_URL', ANTHROPIC_API_KEY: MODEL_KEY }
    const message = { type: 'message', id: 'm', model: 'x', role: 'assistant', content: [{ type: 'text', text: 'whole' }] }
    const body = { ...message, stop_reason: 'end_turn', stop_sequence: null, usage: { input_tokens: 1, output_tokens: 1 } }
    await using rig = await startModelRig({ env, script: [replyOf({ status: 200, body })] })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'whole' })
  })

  it('a stream whose type is not said is a stream', async () => {
    const raw = '\n: hello\n\ndata: {"choices":[{"delta":{"content":"done"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    await using rig = await startModelRig({ script: [{ raw, type: 'application/json' }] })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'done' })
  })

  it.each<[string, object, Reply | undefined, (body: Record<string, unknown>) => boolean]>([
    ['the temperature is left out', { temperature: 0.2 }, OTHERS[0], (body) => 'temperature' in body],
    ['the longest answer gets its other name', { max_output_tokens: 500 }, OTHERS[1], (body) => 'max_tokens' in body],
  ])('%s', async (_case, config, refusal, isRefused) => {
    await using rig = await startModelRig({
      config,
      script: ({ body }) => (isRefused(body) ? (refusal ?? 'silence') : { text: 'done' }),
    })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'done' })
    expect(rig.server.log.lines.join('\n')).toMatch(/refused a request .*; it is asked again: /)
    if ('max_output_tokens' in config) expect(rig.model.requests[1]?.body['max_completion_tokens']).toBe(500)
  })
})

describe('a refusal is understood by what it says', () => {
  const kindOf = (status: number, body: unknown): string => {
    const responseBody = typeof body === 'string' ? body : JSON.stringify(body)
    const error = new APICallError({ message: 'x', url: 'http://x', requestBodyValues: {}, statusCode: status, responseBody })
    return failureOf(error, 0).kind
  }
  const says = (message: string, more: object = {}): object => ({ error: { message, type: 'invalid_request_error', ...more } })

  it.each<[string, number, unknown]>([
    [
      'context',
      400,
      says("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens", {
        code: 'context_length_exceeded',
      }),
    ],
    [
      'context',
      400,
      says("'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 8192 tokens", {
        param: 'max_tokens',
      }),
    ],
    ['context', 400, says('prompt is too long: 210000 tokens > 200000 maximum')],
    ['context', 400, says('input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000')],
    ['context', 400, says('Input is too long for requested model.')],
    ['context', 400, says('the request exceeds the available context size. try increasing the context size')],
    [
      'context',
      500,
      { error: { code: 500, message: 'the request exceeds the available context size', type: 'exceed_context_size_error' } },
    ],
    ['context', 400, says('The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).')],
    ['context', 400, says('Range of input length should be [1, 30720]')],
    ['context', 400, says("This model's maximum prompt length is 131072 but the request contains 200000 tokens.")],
    [
      'context',
      413,
      says('Request too large for model on tokens per minute (TPM): Limit 6000, Requested 9000', { code: 'rate_limit_exceeded' }),
    ],
    [
      'tool count',
      400,
      says(
        "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 130 instead.",
        { param: 'tools', code: 'array_above_max_length' },
      ),
    ],
    [
      'tool schema',
      400,
      says("Invalid schema for function 'tags_add': In context=('properties', 'tags'), array schema missing items.", {
        param: 'tools[2].function.parameters',
        code: 'invalid_function_parameters',
      }),
    ],
    [
      'tool schema',
      400,
      {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: 'tools.3.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12',
        },
      },
    ],
    [
      'tool schema',
      400,
      [
        {
          error: {
            code: 400,
            message:
              '* GenerateContentRequest.tools[0].function_declarations[1].parameters.properties[tags].items: missing field.',
            status: 'INVALID_ARGUMENT',
          },
        },
      ],
    ],
    ['tools', 400, { error: 'registry.ollama.ai/library/tiny does not support tools' }],
    [
      'tools',
      400,
      {
        object: 'error',
        message: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        code: 400,
      },
    ],
    ['tools', 500, says('tools param requires --jinja flag')],
    [
      'refused',
      400,
      says("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.", {
        param: 'messages.[3].role',
      }),
    ],
    ['unknown', 400, says('m is not a valid model ID', { code: 400 })],
    ['unknown', 400, says('The model `m` does not exist or you do not have access to it.', { code: 'model_not_found' })],
    ['unknown', 404, 'Not Found'],
    ['unknown', 404, says("model 'image-vision' not found, try pulling it first")],
    ['key', 400, says('API key not valid. Please pass a valid API key.')],
    ['key', 403, says('Your API key has no permission for this')],
    ['refused', 403, says('Country, region, or territory not supported')],
    ['quota', 402, says('Insufficient Balance')],
    [
      'quota',
      429,
      says('You exceeded your current quota, please check your plan and billing details', { code: 'insufficient_quota' }),
    ],
    ['rate', 429, says('Rate limit reached')],
    ['temperature', 400, says('`temperature` is deprecated for this model.')],
    [
      'max tokens',
      400,
      says('max_tokens is too large: 100000. This model supports at most 16384 completion tokens', { param: 'max_tokens' }),
    ],
    ['reasoning', 400, says('reasoning_content is missing in the assistant message with tool calls at index 2')],
    ['images', 400, says('Invalid content type. image_url is only supported by certain models.')],
    ['images', 404, says('No endpoints found that support image input', { code: 404 })],
    ['image size', 413, says('image exceeds 5 MB maximum')],
    [
      'cut',
      400,
      says("Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.", {
        code: 'tool_use_failed',
      }),
    ],
    ['overloaded', 529, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }],
    ['refused', 400, says('A parameter of this model is strange')],
  ])('%s: %i %j', (kind, status, body) => expect(kindOf(status, body)).toBe(kind))
})
