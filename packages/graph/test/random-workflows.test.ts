import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { checkCalls, evaluateExpression, parseExpression, readWorkflow, render, secretNames, type Scope } from '../src/index.js'

const SEED = 20_261_128
const scope: Scope = {
  inputs: { a: 'x', n: 1, list: [1, { b: null }] },
  env: { A: 'b' },
  steps: { s: { result: { stdout: 'a\nb' }, status: 'success', error: null } },
  device: { id: 'd', platform: 'linux' },
  item: [1],
  index: 0,
  secrets: { T: '\u2045m:T\u2046' },
  secretMark: '\u2045m:',
}

const word = fc.constantFrom(
  ...'inputs env secrets steps item index device . * [ ] ( ) , && || ! == != < >= true null NaN 1 -2.5 0x1f 1e9 9223372036854775807'.split(
    ' ',
  ),
  'format',
  'join',
  'toJSON',
  'fromJSON',
  'split',
  'length',
  'trim',
  'case',
  'contains',
  'always()',
  'failure()',
  "'a'",
  "'{0}'",
  "'}}'",
  "'",
  's',
  'T',
)
const expression = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '))
const template = fc
  .array(
    fc.oneof(
      expression.map((text) => `\${{ ${text} }}`),
      fc.string({ maxLength: 8 }),
      fc.constant('${{'),
    ),
    { maxLength: 3 },
  )
  .map((parts) => parts.join(''))
const leaf = fc.oneof(template, fc.jsonValue({ maxDepth: 2 }), fc.integer(), fc.boolean(), fc.constant(null))
const key = fc.constantFrom(
  'id',
  'name',
  'tool',
  'run',
  'uses',
  'with',
  'env',
  'if',
  'foreach',
  'retry',
  'continue-on-error',
  'ok-exit-codes',
  'timeout_ms',
  'agent',
  '__proto__',
  'constructor',
)
const step = fc.dictionary(
  key,
  fc.oneof(leaf, fc.dictionary(fc.string({ maxLength: 5 }), leaf, { maxKeys: 3 }), fc.constantFrom('cp', 'workflow:x')),
  { maxKeys: 6 },
)
const file = fc.dictionary(
  fc.constantFrom('name', 'description', 'inputs', 'env', 'steps', 'finally', 'result', 'agent', 'jobs'),
  fc.oneof(
    leaf,
    fc.array(step, { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom('a', 'A', 'n', 'b c'),
      fc.oneof(leaf, fc.record({ type: fc.constantFrom('string', 'date'), default: leaf })),
    ),
  ),
)

/** What is thrown of a mistake in a workflow says what it is; what is thrown of a defect has these words. */
const DEFECT = /undefined|not a function|Cannot read|is not iterable|Maximum call stack|Invalid array length/

function checked(text: string): void {
  const reading = readWorkflow(text)
  if ('workflow' in reading) {
    secretNames(reading.workflow)
    checkCalls(text, reading.workflow, () => reading.workflow)
    return
  }
  expect(reading.problems.length).toBeGreaterThan(0)
  const lines = text.split('\n')
  for (const { line, column, message } of reading.problems) {
    expect(line).toBeGreaterThanOrEqual(1)
    expect(line).toBeLessThanOrEqual(lines.length + 1)
    expect(column).toBeGreaterThanOrEqual(1)
    expect(message).not.toMatch(DEFECT)
    expect(message).not.toContain('    at ')
  }
}

describe('a random workflow file', () => {
  it('is right, or has mistakes with their places: made of the keys of workflows', () => {
    fc.assert(
      fc.property(file, (value) => checked(stringify(value))),
      { seed: SEED, numRuns: 600 },
    )
  })

  it('is right, or has mistakes with their places: any text, and a good one with changes', () => {
    const good =
      'name: a\ninputs: { a: {} }\nsteps:\n  - { id: s, run: "ls ${{ inputs.a }}", if: always() }\nresult: ${{ steps.s.result }}\n'
    const changed = fc
      .array(
        fc.tuple(
          fc.nat(good.length),
          fc.nat(3),
          fc.constantFrom(
            '',
            ' ',
            '\n',
            ':',
            '-',
            '!',
            '&a',
            '*a',
            '{',
            ']',
            '"',
            "'",
            '|',
            '${{',
            '}}',
            '\t',
            '#',
            '%',
            '\u0000',
            '\ud800',
          ),
        ),
        { maxLength: 5 },
      )
      .map((changes) => changes.reduce((text, [at, length, put]) => text.slice(0, at) + put + text.slice(at + length), good))
    fc.assert(fc.property(fc.oneof(changed, fc.string({ unit: 'binary', maxLength: 200 })), checked), {
      seed: SEED,
      numRuns: 1500,
    })
  })

  it('has only expressions that give JSON, or an error that says why', () => {
    const json = (value: unknown): void => void (value === undefined || parse(JSON.stringify(value)))
    fc.assert(
      fc.property(expression, fc.boolean(), (source, strict) => {
        try {
          json(evaluateExpression(parseExpression(source), scope, { strict, status: 'failure' }))
          json(render(`a \${{ ${source} }}`, scope, { strict }))
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
          expect((error as Error).message).not.toMatch(/not a function|Cannot read|is not iterable|Maximum call stack/)
        }
      }),
      { seed: SEED, numRuns: 2000 },
    )
  })
})
