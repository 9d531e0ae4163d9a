import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Reply } from '../../../../test/support/scripted-model.js'
import { startModelRig, tool } from '../support/model-rig.js'

type Json = Record<string, unknown>

/** A way in which an endpoint breaks one of its messages. */
type Break = (frames: readonly Json[]) => Reply

const RESULT = 'ALL-DONE'

/** What a good endpoint says: a call, then the end of the task, in frames. */
function framesOf(turn: number): Json[] {
  const [name, args] = turn === 0 ? ['echo', '{"text": "hello"}'] : ['finish', `{"status": "completed", "result": "${RESULT}"}`]
  const chunk = (delta: Json, finish_reason: string | null = null): Json => ({
    id: 'r',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason }],
  })
  const call = (more: Json): Json => ({ tool_calls: [{ index: 0, ...more }] })
  return [
    chunk({ role: 'assistant', content: '' }),
    chunk({ reasoning_content: 'I think.' }),
    chunk(call({ id: `c${turn}`, type: 'function', function: { name, arguments: args.slice(0, 5) } })),
    chunk(call({ function: { arguments: args.slice(5) } })),
    chunk({}, 'tool_calls'),
    { choices: [], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } },
  ]
}

function streamOf(frames: readonly unknown[], end = 'data: [DONE]\n\n'): string {
  return frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join('') + end
}

/** Replaces one value anywhere in a frame, or removes it. */
function changed(value: unknown, place: number, by: unknown): unknown {
  let count = 0
  const walk = (inner: unknown): unknown => {
    if (count++ === place) return by
    if (Array.isArray(inner)) return inner.map(walk)
    if (typeof inner !== 'object' || inner === null) return inner
    return Object.fromEntries(Object.entries(inner).map(([key, each]: [string, unknown]) => [key, walk(each)]))
  }
  return walk(value)
}

const text = (content: string): Reply => ({
  raw: streamOf([
    { choices: [{ index: 0, delta: { content }, finish_reason: null }] },
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  ]),
})

/** Texts that a model may say and that are not answers. */
const NO_ANSWERS = [
  '<think>so',
  '<tool_call>{"name": "gone", "arguments": {}}</tool_call>',
  '<tool_call>{"name": "echo", "arg',
  '```json\n{"name": "gone", "arguments": {}}\n```',
  '[TOOL_CALLS][{"name": "gone", "arguments": {}}]',
  '<function=gone><parameter=a>1</parameter></function>',
  '',
  ' \n ',
]
const BODIES = [
  '',
  '{}',
  '[]',
  'null',
  '<html><body>Sign in</body></html>',
  'upstream error',
  '{"error":"x"}',
  '{"error":{"message":"image_url, tools[9], context length, temperature, max_tokens","code":400}}',
  '{"error":{"message":null,"code":"context_length_exceeded"}}',
  '{"detail":[[[[[[[[{"msg":"deep"}]]]]]]]]}',
  '{"choices":[]}',
  '{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}',
  '{"object":"error","message":"Invalid schema for function \'echo\'"}',
  'data: {"error":{"message":"Overloaded","type":"overloaded_error"}}\n\n',
  `{"error":{"message":"${'x'.repeat(20_000)}\\ud83d"}}`,
]
const STRANGE = fc.constantFrom<unknown>(null, [], {}, '', 'x', -1, 1e300, true, [[]], { error: 'x' }, '\ud83d', '__proto__')
const TYPES = fc.constantFrom('text/event-stream', 'application/json', 'text/html', '')

const BREAKS: fc.Arbitrary<Break> = fc.oneof(
  fc.constant<Break>((frames) => ({ raw: streamOf(frames) })),
  fc.nat(400).map((length): Break => (frames) => ({ raw: streamOf(frames).slice(0, length) })),
  fc.nat(900).map((length): Break => (frames) => ({ raw: streamOf(frames).slice(0, length), cut: true })),
  fc.nat(5).map((index): Break => (frames) => ({ raw: streamOf(frames.filter((_, place) => place !== index)) })),
  fc.nat(5).map((index): Break => (frames) => ({
    raw: streamOf(frames.flatMap((frame, place) => (place === index ? [frame, frame] : [frame]))),
  })),
  fc.tuple(fc.nat(5), fc.nat(14), STRANGE).map(([index, place, by]): Break => (frames) => ({
    raw: streamOf(frames.map((frame, at) => (at === index ? changed(frame, place, by) : frame))),
  })),
  fc.constantFrom(...BODIES).map((body): Break => (frames) => ({ raw: streamOf(frames.slice(0, 2), '') + `data: ${body}\n\n` })),
  fc
    .tuple(fc.constantFrom(200, 400, 401, 403, 404, 413, 422, 429, 500, 503), TYPES, fc.constantFrom(...BODIES))
    .map(([status, type, raw]): Break => () => ({ raw, status, type })),
  fc.constantFrom(...NO_ANSWERS).map(
    (said): Break =>
      () =>
        text(said),
  ),
)

describe('an endpoint that breaks its messages', () => {
  it('never keeps a task from ending, makes nothing completed that is not, and shows no stack', async () => {
    let breaks: readonly Break[] = []
    await using rig = await startModelRig({
      tools: [tool('echo')],
      answers: { echo: () => 'hello' },
      config: { retries: 0, limits: { steps: 12 }, temperature: 0.2, max_output_tokens: 100 },
      script: ({ turn }, index) => {
        const frames = framesOf(turn)
        return breaks[index - begun]?.(frames) ?? { raw: streamOf(frames) }
      },
    })
    let begun = 0
    await fc.assert(
      fc.asyncProperty(fc.array(BREAKS, { minLength: 1, maxLength: 6 }), async (chosen) => {
        breaks = chosen
        begun = rig.model.requests.length
        const { status, result, error } = await rig.run('do it')
        if (status === 'completed') expect(['', RESULT]).toContain(result)
        else expect(status).toBe('failed')
        expect(String(error)).not.toMatch(/\n\s*at |node_modules|TypeError|\.[jt]s:\d/)
        expect(String(error).isWellFormed()).toBe(true)
      }),
      { seed: 14, numRuns: 150 },
    )
  })
})
