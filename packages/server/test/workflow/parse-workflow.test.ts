import { describe, expect, it } from 'vitest'
import { parseWorkflow } from '../../src/agents/workflow/parse-workflow.js'
import { resolveInputs } from '../../src/agents/workflow/resolve-inputs.js'

const HEAD = 'name: demo\ndescription: A test\n'

function problemsOf(text: string): string[] {
  try {
    parseWorkflow(text, 'demo.yaml')
    return []
  } catch (error) {
    return (error as Error).message.split('\n')
  }
}

describe('a workflow file with a mistake gives its place and the reason', () => {
  it.each([
    ['broken YAML', `${HEAD}steps: [`, /^demo\.yaml:3:9: /],
    ['a key that comes twice', `${HEAD}name: other\nsteps: [{ tool: x }]`, 'demo.yaml:3:1: Map keys must be unique'],
    ['no map', '- a\n', /^demo\.yaml:1:1: .*expected object/],
    ['an empty file', '', /^demo\.yaml:1:1: /],
    ['an unknown key', `${HEAD}steps:\n  - tool: x\ntitle: y`, "demo.yaml:5:1: unknown key 'title'"],
    ['an unknown key of a step', `${HEAD}steps:\n  - tool: x\n    args: {}`, "demo.yaml:5:5: unknown key 'args'"],
    ['a missing description', 'name: demo\nsteps: [{ tool: x }]', /^demo\.yaml:1:1: description: /],
    ['a bad name', 'name: De mo\ndescription: x\nsteps: [{ tool: x }]', /^demo\.yaml:1:7: name: /],
    ['no steps', `${HEAD}steps: []`, /^demo\.yaml:3:8: steps: /],
    ['a bad tool', `${HEAD}steps:\n  - tool: "rm -rf"`, /^demo\.yaml:4:11: steps\.0\.tool: /],
    ['a bad id', `${HEAD}steps:\n  - id: 1a\n    tool: x`, /^demo\.yaml:4:9: steps\.0\.id: /],
    [
      'an id that comes twice',
      `${HEAD}steps:\n  - { id: a, tool: x }\n  - { id: a, tool: x }`,
      "demo.yaml:5:11: another step has the id 'a'",
    ],
    ['a bad type of input', `${HEAD}inputs:\n  a: { type: date }\nsteps: [{ tool: x }]`, /^demo\.yaml:4:14: inputs\.a\.type: /],
    [
      'a default of another type',
      `${HEAD}inputs:\n  a: { type: number, default: x }\nsteps: [{ tool: x }]`,
      'demo.yaml:4:31: inputs.a.default: must be of type number, not string',
    ],
    [
      'a default outside the options',
      `${HEAD}inputs:\n  a: { default: c, options: [a, b] }\nsteps: [{ tool: x }]`,
      'demo.yaml:4:17: inputs.a.default: must be one of a, b',
    ],
    [
      'a bad name of an input',
      `${HEAD}inputs:\n  "a b": { type: string }\nsteps: [{ tool: x }]`,
      "demo.yaml:4:3: 'a b' is not a valid name",
    ],
    ['a bad retry', `${HEAD}steps:\n  - tool: x\n    retry: { times: 0 }`, /^demo\.yaml:5:21: steps\.0\.retry\.times: /],
    ['a bad time limit', `${HEAD}steps:\n  - tool: x\n    timeout_ms: soon`, /^demo\.yaml:5:17: steps\.0\.timeout_ms: /],
    [
      'an expression that is not closed',
      `${HEAD}steps:\n  - tool: x\n    with: { a: "\${{ inputs.a" }`,
      'demo.yaml:5:17: ${{ is not closed by }}',
    ],
    [
      'an expression that cannot be read',
      `${HEAD}steps:\n  - tool: x\n    with: { a: "ok \${{ 1 + }}" }`,
      /^demo\.yaml:5:\d+: .*Unexpected/,
    ],
    ['an unknown function', `${HEAD}steps:\n  - tool: x\n    if: \${{ nope() }}`, /^demo\.yaml:5:\d+: .*nope/],
    ['an unknown context', `${HEAD}steps:\n  - tool: x\n    if: secrets.a`, /^demo\.yaml:5:9: .*secrets/],
    [
      'an unknown input',
      `${HEAD}steps:\n  - tool: x\n    with:\n      a: |\n        first\n        \${{ inputs.b }}`,
      "demo.yaml:8:13: there is no input 'b'",
    ],
    [
      'a step that comes later',
      `${HEAD}steps:\n  - tool: x\n    if: steps.b.result == 1\n  - { id: b, tool: x }`,
      "demo.yaml:5:9: no step before this one has the id 'b'",
    ],
    [
      'item outside a foreach',
      `${HEAD}steps:\n  - tool: x\n    with: { a: "\${{ item }}" }`,
      "demo.yaml:5:21: 'item' exists only in a step with foreach",
    ],
    [
      'a mistake in the result',
      `${HEAD}steps: [{ tool: x }]\nresult:\n  a: [1, "\${{ steps.q.result }}"]`,
      "demo.yaml:5:15: no step before this one has the id 'q'",
    ],
    ['too much text', `${HEAD}# ${'x'.repeat(300_000)}`, /^demo\.yaml:1:1: longer than/],
    [
      'aliases that multiply',
      `${HEAD}a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nsteps: [{ tool: x, with: { a: *c } }]`,
      /^demo\.yaml:1:1: .*alias/i,
    ],
  ])('%s', (_case, text, expected) => {
    const [first] = problemsOf(text)
    if (typeof expected === 'string') expect(first).toBe(expected)
    else expect(first).toMatch(expected)
  })

  it('lists all problems, in the order of the file', () => {
    const problems = problemsOf(
      `${HEAD}steps:\n  - tool: x\n    with: { a: "\${{ inputs.p }}", b: "\${{ steps.q }}" }\n    if: \${{ item }}`,
    )
    expect(problems).toEqual([
      "demo.yaml:5:21: there is no input 'p'",
      "demo.yaml:5:43: no step before this one has the id 'q'",
      "demo.yaml:6:13: 'item' exists only in a step with foreach",
    ])
  })
})

describe('the inputs of a workflow', () => {
  const workflow = parseWorkflow(
    `${HEAD}inputs:\n  path: { type: string }\n  depth: { type: number, default: 2 }\nsteps: [{ tool: x }]`,
    'demo.yaml',
  )

  it('have their defaults', () => {
    expect(resolveInputs(workflow, { path: '/' })).toEqual({ path: '/', depth: 2 })
  })

  it.each([
    [{}, "input 'path' is required"],
    [{ path: 1 }, "input 'path' must be of type string, not number"],
    [{ path: '/', deep: 1 }, "there is no input 'deep'"],
    [JSON.parse('{"path": "/", "__proto__": 1}') as Record<string, unknown>, "there is no input '__proto__'"],
  ])('are refused when they are %j', (given, reason) => {
    expect(() => resolveInputs(workflow, given)).toThrow(
      `Workflow 'demo': ${reason}. It takes: path (string, required), depth (number)`,
    )
  })
})
