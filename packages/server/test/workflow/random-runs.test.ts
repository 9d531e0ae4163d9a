import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { startTestServer } from '../../../../test/support/test-server.js'
import { answerDevice, type Answer } from '../support/answering-device.js'

const SEED = 20_261_128
const RUNS = 150

/** Values that expressions may meet: what exists, what does not, and what cannot be used so. */
const operand = fc.constantFrom(
  'inputs.list',
  'inputs.text',
  'inputs.gone.deep',
  'steps.first.result',
  'steps.first.result.stdout',
  'steps.first.error',
  'steps.first.outcome',
  'env.A',
  'device',
  'item',
  'index',
  "''",
  "'a\nb'",
  '0',
  '1e30',
  '9223372036854775807',
  'null',
  'true',
  'secrets.TOKEN',
)
const call = fc
  .tuple(
    fc.constantFrom('split', 'length', 'trim', 'toJSON', 'fromJSON', 'join', 'format', 'contains'),
    fc.array(operand, { minLength: 1, maxLength: 2 }),
  )
  .map(([name, args]) => `${name}(${args.join(', ')})`)
const expression = fc.oneof(
  operand,
  call,
  fc.tuple(operand, fc.constantFrom('==', '<', '&&', '||'), operand).map((parts) => parts.join(' ')),
)
const text = fc.oneof(
  expression.map((source) => `\${{ ${source} }}`),
  expression.map((source) => `a \${{ ${source} }} b`),
  fc.constant('plain'),
)
const condition = fc.oneof(
  expression,
  fc.constantFrom('always()', 'failure()', 'success()', '!cancelled()', 'failure() || index == 1'),
  fc.boolean(),
)

const work = fc.oneof(
  fc.record({
    tool: fc.constantFrom('ok', 'fails', 'codes', 'odd', 'a/ b'),
    with: fc.dictionary(fc.constantFrom('x', 'y'), text, { maxKeys: 2 }),
  }),
  fc.record({ run: text }),
  fc.record({ uses: fc.constant('cp'), with: fc.record({ from: text, to: text }) }),
  fc.record({ uses: fc.constant('workflow:system-report'), with: fc.record({ path: text }) }),
)
const step = fc
  .tuple(
    work,
    fc.record(
      {
        name: text,
        if: condition,
        foreach: fc.oneof(text, fc.array(fc.constantFrom(1, 'a', null), { maxLength: 3 })),
        env: fc.dictionary(fc.constantFrom('A', 'B'), text, { maxKeys: 1 }),
        'continue-on-error': fc.boolean(),
        retry: fc.constant({ times: 1, wait_ms: 0 }),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([what, more]) => Object.assign(what, more))
const workflow = fc.record({
  inputs: fc.constant({
    list: { type: 'array', default: [1, 'b', null] },
    text: { default: 'a\nb' },
    gone: { type: 'object', default: {} },
  }),
  env: fc.constant({ A: '${{ inputs.text }}' }),
  steps: fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => [{ id: 'first', tool: 'codes' }].concat(steps as never[])),
  finally: fc.array(step, { maxLength: 2 }),
  result: text,
})

const ANSWERS: Record<string, Answer> = {
  ok: ({ x }) => x ?? 'ok',
  fails: () => ({ fail: 'no' }),
  codes: (_, call) => ({ exit_code: call % 2, stdout: 'a\nb\n', stderr: '' }),
  odd: () => [{ type: 'image', data: '' }],
  execute_command: () => ({ exit_code: 0, stdout: 'x' }),
  run_command: () => ({ exit_code: null, ended: 'timeout', stdout: '' }),
}

afterEach(() => void vi.unstubAllEnvs())

describe('a random workflow that runs', () => {
  it('ends, and a failure says why in words of workflows', { timeout: 120_000 }, async () => {
    vi.stubEnv('ORRERY_SECRET_TOKEN', 'a-random-token')
    await using server = await startTestServer()
    await answerDevice(server, ANSWERS)
    const ends = new Map<string, number>()
    for (const file of fc.sample(workflow, { seed: SEED, numRuns: RUNS })) {
      // JSON is YAML.
      const source = JSON.stringify(file)
      const { status: code, body } = await server.api('/api/sessions', { device_id: 'd1', workflow: source, file: 'random.yaml' })
      if (code !== 201) {
        expect(body['code'], String(body['detail'])).toBe('INVALID_WORKFLOW')
        continue
      }
      await server.events(String(body['session_id']))
      const session = (await server.api(`/api/sessions/${String(body['session_id'])}`)).body
      const { status, error } = session
      ends.set(String(status), (ends.get(String(status)) ?? 0) + 1)
      expect(['completed', 'failed']).toContain(status)
      expect(String(error)).not.toMatch(/not a function|Cannot read|is not iterable|Maximum call stack|\n\s+at /)
      expect(JSON.stringify(session)).not.toContain('a-random-token')
    }
    expect(server.log.lines.filter((line) => line.startsWith('error'))).toEqual([])
    // The generator makes some of each kind.
    expect(ends.get('completed')).toBeGreaterThan(5)
    expect(ends.get('failed')).toBeGreaterThan(5)
  })
})
