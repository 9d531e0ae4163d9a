import { describe, expect, it } from 'vitest'
import {
  GRAPH_LIMITS,
  describeProblems,
  evaluateExpression,
  parseExpression,
  readWorkflow,
  render,
  type Scope,
} from '../src/index.js'

const HEAD = 'name: demo\ndescription: A demo.\nsteps:\n  - tool: echo\n    with:\n'
const SIZE = 60_000

function problemOf(text: string): string {
  const reading = readWorkflow(text)
  return 'problems' in reading ? describeProblems('demo.yaml', reading.problems) : 'none'
}

describe('a workflow that would take long to read', () => {
  it.each([
    ['many keys', Array.from({ length: 4000 }, (_, at) => `      k${at}: v`).join('\n'), /more than 12000 words and marks/],
    ['nested lists', `      a: ${'['.repeat(SIZE)}`, /more than 64 levels/],
    ['nested objects', `      a: ${'{a: '.repeat(SIZE / 4)}`, /more than 64 levels/],
    ['nested list marks', `      a:\n        ${'- '.repeat(SIZE / 2)}x`, /more than 64 levels/],
    ['nested question marks', '? '.repeat(SIZE / 2), /more than 64 levels/],
    ['quotes', `      a: ${'"'.repeat(SIZE)}`, /more than 12000 words and marks/],
    ['anchors', Array.from({ length: SIZE / 10 }, (_, at) => `- &a${at} x`).join('\n'), /more than 12000 words and marks/],
    ['tags', '!a '.repeat(SIZE / 3), /more than 12000 words and marks/],
    ['expressions', `      a: "${'${{ 1 }}'.repeat(GRAPH_LIMITS.expressions + 1)}"`, /more than 1000 expressions/],
    ['a long expression', `      a: "\${{ ${'('.repeat(GRAPH_LIMITS.expression)} }}"`, /may have 8192 characters at most/],
    ['length', `# ${'x'.repeat(GRAPH_LIMITS.workflowFile)}`, /longer than 65536 characters/],
  ])('is refused before it is read: %s', (_case, text, problem) => {
    expect(problemOf(text.startsWith('      ') ? HEAD + text : text)).toMatch(problem)
  })

  it('is refused for its aliases, which expand without bounds', () => {
    const levels = Array.from({ length: 20 }, (_, at) => `      a${at + 1}: &a${at + 1} [*a${at}, *a${at}, *a${at}]`)
    expect(problemOf(`${HEAD}      a0: &a0 [x, x, x]\n${levels.join('\n')}`)).toMatch(/alias/i)
  })

  it('names keys that come twice, at any depth', () => {
    expect(problemOf(`${HEAD}      a: 1\n      b: {c: 1, d: 2, c: 3}\n      a: 2\n`)).toBe(
      'demo.yaml:7:23: Map keys must be unique\ndemo.yaml:8:7: Map keys must be unique',
    )
  })
})

describe('an expression that makes much of little', () => {
  const scope: Scope = {
    inputs: { long: 'x'.repeat(GRAPH_LIMITS.expressionText), many: Array.from({ length: 2000 }, () => 'y'.repeat(1000)) },
    steps: { Big: { result: 'z'.repeat(2 * GRAPH_LIMITS.expressionText) }, other: { result: 1 } },
    device: { id: 'd', platform: 'linux' },
  }
  const nested = (levels: number): string =>
    levels === 0 ? "'0123456789'" : `format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', ${nested(levels - 1)})`
  const evaluate = (source: string): unknown => evaluateExpression(parseExpression(source), scope)

  it.each([
    ['nested format', nested(8)],
    ['format with a long text', "format('{0}{0}', inputs.long)"],
    ['join', 'join(inputs.many)'],
    ['join with a long separator', 'join(inputs.many, inputs.long)'],
    ['toJSON', 'toJSON(inputs.many)'],
  ])('fails: %s', (_case, source) => {
    expect(() => evaluate(source)).toThrow(/may give a text of 1048576 characters at most/)
  })

  it('fails where a text is made of many values', () => {
    expect(() => render('${{ inputs.long }} and more', scope)).toThrow(/1048576 characters at most/)
  })

  it('fails where JSON has too many values', () => {
    const many = { ...scope, inputs: { text: `[${'0,'.repeat(300_000)}0]` } }
    expect(() => evaluateExpression(parseExpression('fromJSON(inputs.text)'), many)).toThrow('the JSON has too many values')
  })

  it('gives a large value that it only refers to', () => {
    expect(evaluate('steps.big.result')).toBe(scope.steps['Big'] && (scope.steps['Big'] as { result: string }).result)
    expect(evaluate('steps.other.result')).toBe(1)
    expect(Object.keys(evaluate('steps') as object)).toEqual(['Big', 'other'])
  })
})
