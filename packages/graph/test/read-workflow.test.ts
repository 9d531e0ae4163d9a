import { describe, expect, it } from 'vitest'
import { describeProblems, readWorkflow, resolveInputs, type WorkflowFile } from '../src/index.js'

const HEAD = 'name: demo\ndescription: A test\n'

function problemsOf(text: string): string[] {
  const reading = readWorkflow(text)
  return 'problems' in reading ? describeProblems('demo.yaml', reading.problems).split('\n') : []
}

function workflowOf(text: string): WorkflowFile {
  const reading = readWorkflow(text)
  if ('problems' in reading) throw new Error(describeProblems('demo.yaml', reading.problems))
  return reading.workflow
}

describe('a workflow file with a mistake gives its place and the reason', () => {
  it.each([
    ['broken YAML', `${HEAD}steps: [`, /^demo\.yaml:3:9: /],
    ['a key that comes twice', `${HEAD}name: other\nsteps: [{ tool: x }]`, 'demo.yaml:3:1: Map keys must be unique'],
    ['no map', '- a\n', /^demo\.yaml:1:1: .*expected object/],
    ['an empty file', '', /^demo\.yaml:1:1: /],
    ['an unknown key', `${HEAD}steps:\n  - tool: x\ntitle: y`, "demo.yaml:5:1: unknown key 'title'"],
    ['an unknown key of a step', `${HEAD}steps:\n  - tool: x\n    args: {}`, "demo.yaml:5:5: unknown key 'args'"],
    ['a bad name', 'name: De mo\ndescription: x\nsteps: [{ tool: x }]', /^demo\.yaml:1:7: name: /],
    ['no steps', `${HEAD}steps: []`, /^demo\.yaml:3:8: steps: /],
    ['an empty tool', `${HEAD}steps:\n  - tool: ""`, /^demo\.yaml:4:11: steps\.0\.tool: /],
    ['a step of no kind', `${HEAD}steps:\n  - id: a`, 'demo.yaml:4:5: a step needs one of tool, run and uses'],
    [
      'a step of two kinds',
      `${HEAD}steps:\n  - tool: x\n    run: ls`,
      'demo.yaml:5:5: a step has only one of tool, run and uses, and this has tool and run',
    ],
    [
      'arguments of a command',
      `${HEAD}steps:\n  - run: ls\n    with: { a: 1 }`,
      "demo.yaml:5:5: 'with' is for steps with tool or uses",
    ],
    ['an unknown use', `${HEAD}steps:\n  - uses: actions/checkout`, "demo.yaml:4:11: uses: must be 'cp' or 'workflow:NAME'"],
    [
      'a copy to nowhere',
      `${HEAD}steps:\n  - uses: cp\n    with: { from: a, into: b }`,
      "demo.yaml:5:11: cp needs 'to': a path, or DEVICE:PATH",
    ],
    ['bad exit codes', `${HEAD}steps:\n  - run: ls\n    ok-exit-codes: all`, /^demo\.yaml:5:20: .*list of exit codes/],
    [
      'inputs that differ only in case',
      `${HEAD}inputs: { a: {}, A: {} }\nsteps: [{ tool: x }]`,
      /^demo\.yaml:3:18: another input is called 'A'/,
    ],
    [
      'ids that differ only in case',
      `${HEAD}steps:\n  - { id: a, tool: x }\n  - { id: A, tool: x }`,
      "demo.yaml:5:11: another step has the id 'A'",
    ],
    [
      'a condition that YAML takes for a tag',
      `${HEAD}steps:\n  - run: ls\n    if: !cancelled()`,
      /^demo\.yaml:5:9: YAML takes '!cancelled\(\)' for a tag/,
    ],
    [
      'a function of status outside of if',
      `${HEAD}steps:\n  - run: ls \${{ failure() }}`,
      "demo.yaml:4:17: failure() is only for 'if'",
    ],
    [
      'a secret in the result',
      `${HEAD}steps:\n  - run: ls\nresult: \${{ secrets.A }}`,
      "demo.yaml:5:13: 'secrets' is only for with, run and env",
    ],
    [
      'a secret in a condition',
      `${HEAD}steps:\n  - run: ls\n    if: secrets.A`,
      "demo.yaml:5:9: 'secrets' is only for with, run and env",
    ],
    [
      'all secrets at once',
      `${HEAD}steps:\n  - run: ls \${{ toJSON(secrets) }}`,
      'demo.yaml:4:24: a secret is named: secrets.NAME',
    ],
    [
      'an unknown variable',
      `${HEAD}env: { A: b }\nsteps:\n  - run: ls \${{ env.B }}`,
      "demo.yaml:5:17: there is no variable 'B' in env",
    ],
    [
      'a number of more than 64 bits',
      `${HEAD}steps:\n  - { tool: x, with: { a: 98765432109876543210 } }`,
      /^demo\.yaml:4:27: 98765432109876543210 has more than 64 bits/,
    ],
    [
      'an expression without quotes, which YAML takes for a map',
      `${HEAD}steps:\n  - tool: x\n    with: { a: {{ inputs.a }} }`,
      'demo.yaml:5:17: a key must be a word: put an expression ${{ }} in quotes',
    ],
    ['an empty expression', `${HEAD}steps:\n  - run: ls \${{ }}`, 'demo.yaml:4:16: the expression is empty'],
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
    [
      'an unknown function',
      `${HEAD}steps:\n  - tool: x\n    if: \${{ nope() }}`,
      /^demo\.yaml:5:13: .*'nope'; there are: always, cancelled, case, contains, .*length, split, .*trim$/,
    ],
    [
      'an unknown context',
      `${HEAD}steps:\n  - tool: x\n    if: github.a`,
      /^demo\.yaml:5:9: .*'github'; there are: inputs, env, /,
    ],
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

describe('a file with mistakes of several kinds', () => {
  it('says of an expression between brackets without quotes only that', () => {
    expect(problemsOf('steps:\n  - { tool: x, with: { a: ${{ inputs.a }}, b: 1 } }\n')).toEqual([
      'demo.yaml:2:27: an expression between { } or [ ] must be in quotes: "${{ … }}"',
    ])
  })

  it('gives all of them: of its form, its names and its expressions', () => {
    const problems = problemsOf(
      'titel: x\nsteps:\n  - { id: 1a, run: "ls ${{ inputs.p }}" }\n  - { tool: 7 }\nresult: ${{ steps.z }}\n',
    )
    expect(problems).toEqual([
      "demo.yaml:1:1: unknown key 'titel'",
      expect.stringMatching(/^demo\.yaml:3:11: steps\.0\.id: /),
      "demo.yaml:3:28: there is no input 'p'",
      expect.stringMatching(/^demo\.yaml:4:13: steps\.1\.tool: /),
      "demo.yaml:5:13: no step before this one has the id 'z'",
    ])
  })
})

describe('a workflow', () => {
  it.each([
    ['only steps', 'steps: [{ run: ls }]'],
    ['a name with capitals', 'name: Nightly_Build.2\nsteps: [{ run: ls }]'],
    ['tools of any name', 'steps:\n  - tool: user/update\n  - tool: has space\n  - tool: übung\n  - tool: data_collection::a b'],
    [
      'names in another case',
      'inputs: { name: {} }\nenv: { Path: x }\nsteps: [{ id: info, run: "a ${{ INPUTS.NAME }} ${{ env.PATH }}" }]\nresult: ${{ Steps.Info.STATUS }}',
    ],
    [
      'functions of status',
      'steps:\n  - run: a\n  - { run: b, if: always() }\n  - { run: c, if: "!cancelled() && failure()" }\n  - { run: d, if: "${{ Success() }}" }',
    ],
    ['steps at the end', 'steps: [{ id: a, run: a }]\nfinally: [{ run: "b ${{ steps.a.status }}" }]'],
    [
      'secrets',
      'env: { T: "${{ secrets.T }}" }\nsteps: [{ run: a, env: { U: "x${{ env.T }}" } }, { tool: t, with: { h: "Bearer ${{ secrets[\'U\'] }}" } }]',
    ],
    [
      'a copied file',
      'inputs: { f: {} }\nsteps: [{ uses: cp, with: { from: "${{ inputs.f }}", to: "web-1:/srv/f", overwrite: true } }]',
    ],
    ['another workflow', 'steps: [{ uses: "workflow:Other", with: { a: 1 } }]'],
  ])('may have %s', (_case, text) => {
    expect(problemsOf(text)).toEqual([])
  })

  it('keeps whole numbers of 64 bits', () => {
    const workflow = workflowOf(
      'steps: [{ tool: x, with: { least: -9223372036854775808, most: 18446744073709551615, small: 0x10 } }]',
    )
    expect(JSON.stringify(workflow.steps[0]?.with)).toBe('{"least":-9223372036854775808,"most":18446744073709551615,"small":16}')
  })
})

describe('the inputs of a workflow', () => {
  const workflow = workflowOf(
    `${HEAD}inputs:\n  path: { type: string }\n  depth: { type: number, default: 2 }\nsteps: [{ tool: x }]`,
  )

  it('have their defaults', () => {
    expect(resolveInputs(workflow, { path: '/' })).toEqual({ values: { path: '/', depth: 2 } })
  })

  it('are found whatever their case, but not twice', () => {
    expect(resolveInputs(workflow, { PATH: '/' })).toEqual({ values: { path: '/', depth: 2 } })
    expect(resolveInputs(workflow, { path: '/', Path: '/' })).toMatchObject({ problems: ["input 'path' is given twice"] })
  })

  it.each([
    [{}, "input 'path' is required"],
    [{ path: 1 }, "input 'path' must be of type string, not number"],
    [{ path: '/', deep: 1 }, "there is no input 'deep'"],
    [JSON.parse('{"path": "/", "__proto__": 1}') as Record<string, unknown>, "there is no input '__proto__'"],
  ])('are refused when they are %j', (given, reason) => {
    expect(resolveInputs(workflow, given)).toEqual({ problems: [reason], takes: 'path (string, required), depth (number)' })
  })
})
