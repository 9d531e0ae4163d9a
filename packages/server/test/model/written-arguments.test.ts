import { describe, expect, it } from 'vitest'
import type { Json } from '../../../../test/support/wire-client.js'
import { fitArguments } from '../../src/agents/model/fit-arguments.js'
import { parseArguments } from '../../src/agents/model/parse-arguments.js'
import { startModelRig, tool } from '../support/model-rig.js'
import { caseAnswers } from './cases/read-case.js'

interface Call {
  tool: string
  input: Json
}

const CALLS = caseAnswers<Call>('arguments-as-models-write-them.json')
const STRINGS = { type: 'array', items: { type: 'string' } }
const RUN = {
  type: 'object',
  properties: {
    program: { type: 'string' },
    args: STRINGS,
    line: { type: 'string' },
    cwd: { type: 'string' },
    stdin: { type: 'string' },
    timeout_s: { type: 'number' },
    env: { type: 'object', additionalProperties: { type: 'string' } },
    terminal: { type: 'boolean' },
  },
  required: ['program'],
}
const DEVICE = { tools: [tool('run_command', { input_schema: RUN })], answers: { run_command: () => ({ exit_code: 0 }) } }

describe('arguments as models write them', () => {
  it.each<[number, Json]>([
    [0, { program: 'echo', args: ['x'] }],
    [1, { args: ['x'], timeout_s: 5 }],
  ])('call %i reaches the device as its schema asks for it', async (index, parameters) => {
    await using rig = await startModelRig({ ...DEVICE, script: [{ calls: [CALLS[index] ?? { tool: '' }] }, { text: 'done' }] })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed' })
    expect(rig.received.flatMap(({ tools }) => tools)).toEqual([
      { name: 'run_command', parameters: { program: 'echo', ...parameters } },
    ])
  })

  it.each<[number, unknown]>([
    [2, { files: 3 }],
    [3, 'all good'],
  ])('call %i of finish ends the task', async (index, result) => {
    await using rig = await startModelRig({ script: [{ calls: [CALLS[index] ?? { tool: '' }] }] })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result })
    expect(rig.model.requests).toHaveLength(1)
  })

  it.each<[Json, Json]>([
    [
      { status: 'Done', result: null, answer: 'yes' },
      { status: 'completed', result: 'yes' },
    ],
    [
      { status: true, result: [1, 2] },
      { status: 'completed', result: [1, 2] },
    ],
    [
      { status: 'failure', result: 'no printer' },
      { status: 'failed', error: 'no printer' },
    ],
    [
      { status: 'error', result: { why: 'paper' } },
      { status: 'failed', error: '{"why":"paper"}' },
    ],
  ])('finish takes %j', async (input, session) => {
    await using rig = await startModelRig({ script: [{ calls: [{ tool: 'finish', input }] }] })
    expect(await rig.run('do it')).toMatchObject(session)
  })

  it('a refusal says which argument is wrong, and how', async () => {
    await using rig = await startModelRig({
      script: [
        {
          calls: [
            { tool: 'finish', input: { status: 'maybe', result: 'x' } },
            { tool: 'ask_user', input: { text: 'what?' } },
            { tool: 'finish', input: '{"status": "completed", "result": "x' },
          ],
        },
        { text: 'done' },
      ],
    })
    await rig.run('do it')
    const text = rig.model.requests[1]?.text ?? ''
    expect(text).toMatch(/status must be "completed" or "failed", not "maybe"/)
    expect(text).toMatch(/ask_user: question: /)
    expect(text).toMatch(/not a JSON object: Unterminated string/)
  })
})

describe('arguments are fitted to the schema of their tool', () => {
  const nested = {
    $defs: { when: { anyOf: [{ type: 'integer' }, { type: 'null' }] } },
    type: 'object',
    properties: {
      when: { $ref: '#/$defs/when' },
      list: { type: 'array', items: { type: 'object', properties: { n: { type: 'number' }, s: { type: 'string' } } } },
      either: { type: ['string', 'number'] },
      flag: { type: 'boolean' },
      any: {},
      choice: { enum: ['a', 'b'] },
      text: { type: 'string' },
    },
    required: ['flag'],
  }
  it.each<[Json, Json]>([
    [{ when: null }, { when: null }],
    [{ when: '7' }, { when: 7 }],
    [{ list: '[{"n": "1.5", "s": null}]' }, { list: [{ n: 1.5 }] }],
    [{ either: '5' }, { either: '5' }],
    [{ flag: 'True' }, { flag: true }],
    [{ flag: null }, { flag: null }],
    [
      { any: null, unknown: null },
      { any: null, unknown: null },
    ],
    [{ choice: null }, {}],
    [{ text: 5 }, { text: '5' }],
    [{ text: '[1]' }, { text: '[1]' }],
    [{ list: 'no list' }, { list: 'no list' }],
    [{ list: '' }, {}],
    [{ list: 'null' }, {}],
  ])('%j becomes %j', (input, fitted) => expect(fitArguments(input, nested)).toEqual(fitted))

  it('takes no time with a schema that leads to itself in many ways', () => {
    const levels = Object.fromEntries(
      Array.from({ length: 30 }, (_, level) => [
        `d${level}`,
        { anyOf: [{ $ref: `#/$defs/d${level + 1}` }, { $ref: `#/$defs/d${level + 1}` }] },
      ]),
    )
    const schema = { $defs: { ...levels, d30: { type: 'string' } }, properties: { a: { $ref: '#/$defs/d0' } } }
    expect(fitArguments({ a: { b: 1 } }, schema)).toEqual({ a: { b: 1 } })
  })
})

describe('the text of arguments', () => {
  it.each<[string, Json]>([
    ['', {}],
    ['null', {}],
    ['{"a":1}', { a: 1 }],
    [JSON.stringify('{"a":1}'), { a: 1 }],
    ['```json\n{"a":1}\n```', { a: 1 }],
    ['{"a":"one\ntwo"}', { a: 'one\ntwo' }],
  ])('%j is read', (text, input) => expect(parseArguments(text)).toEqual({ input }))

  it.each(['{"a":', '{"a":"x', '[1]', '5', '{"a":1}{"a":1}', "{'a':1}"])('%j is not completed', (text) =>
    expect(parseArguments(text)).toMatchObject({ input: null, problem: expect.any(String) as string }),
  )
})

describe('a tool as models name it', () => {
  it.each(['functions.run_command', 'default_api.run_command', 'Run_Command', 'run_command()', 'shell.run'])(
    '%s',
    async (name) => {
      await using rig = await startModelRig({
        tools: [tool('run_command'), tool('shell.run'), tool('echo')],
        script: [
          { calls: [{ tool: name, input: { text: 'x' } }] },
          { calls: [{ tool: 'functions.finish', input: { result: 'done' } }] },
        ],
      })
      expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'done' })
      const called = name === 'shell.run' ? 'shell.run' : 'run_command'
      expect(rig.received.flatMap(({ tools }) => tools.map((each) => each.name))).toEqual([called])
    },
  )
})

describe('a whole number of 64 bits', () => {
  it('keeps its digits on its way from the model to the device, and back', async () => {
    const id = '1234567890123456789'
    const input_schema = { type: 'object', properties: { id: { type: 'integer' }, name: { type: 'string' } } }
    await using rig = await startModelRig({
      tools: [tool('message', { input_schema })],
      script: [
        { calls: [{ tool: 'message', input: `{"id": ${id}, "name": ${id}}` }] },
        { text: `<tool_call>{"name": "message", "arguments": {"id": "${id}"}}</tool_call>` },
        { text: 'done' },
      ],
    })
    const session = await rig.start('do it')
    await rig.server.events(session)
    const said = JSON.stringify(rig.model.requests.at(-1)?.body['messages'])
    expect(said).toContain(String.raw`{\"id\":${id},\"name\":\"${id}\"}`)
    expect(said).toContain(String.raw`{\"id\":${id}}`)
  })
})

describe('a model that repeats a call that fails', () => {
  it('hears so, and is stopped', async () => {
    await using rig = await startModelRig({
      tools: [tool('broken')],
      answers: { broken: () => ({ fail: 'no such file' }) },
      script: [{ calls: [{ tool: 'broken', input: { text: 'a' } }] }],
    })
    const session = await rig.run('do it')
    expect(session).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/same call of 'broken' 6 times, which always failed: .*no such file/) as string,
    })
    expect(rig.model.requests).toHaveLength(6)
    expect(rig.model.requests[1]?.text).not.toContain('You have made the same call')
    expect(rig.model.requests[2]?.text).toContain('You have made the same call of broken 2 times')
  })

  it('is stopped too when it is one of the own tools of the server', async () => {
    await using rig = await startModelRig({ script: [{ calls: [{ tool: 'finish', input: { status: 'maybe' } }] }] })
    expect((await rig.run('do it'))['error']).toMatch(/same call of 'finish' 6 times/)
  })

  it('is not if something succeeds in between, or the call is another', async () => {
    await using rig = await startModelRig({
      tools: [tool('broken'), tool('echo')],
      answers: { broken: () => ({ fail: 'not yet' }) },
      script: ({ turn }) => {
        if (turn === 20) return { text: 'done' }
        return turn < 10
          ? { calls: [{ tool: turn % 3 === 2 ? 'echo' : 'broken' }] }
          : { calls: [{ tool: 'broken', input: { text: String(turn) } }] }
      },
    })
    expect(await rig.run('wait for it')).toMatchObject({ status: 'completed', result: 'done' })
  })
})
