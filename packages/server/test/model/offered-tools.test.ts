import * as fc from 'fast-check'
import { MCPToolInfo } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../../../test/support/wire-client.js'
import { acceptableSchema } from '../../src/agents/model/acceptable-schema.js'
import { modelTools } from '../../src/agents/model/model-tools.js'
import { startModelRig, tool } from '../support/model-rig.js'
import { caseText } from './cases/read-case.js'

interface Listed {
  list: { tools: { name: string; description: string; inputSchema: Json }[] }
}

const [BAD] = (JSON.parse(caseText('bad-tool-schema.json')) as Listed).list.tools

/** What providers refuse in a schema, found as they do. */
function flawsIn(schema: unknown, path = ''): string[] {
  if (Array.isArray(schema)) return [`${path} is a list`]
  if (typeof schema !== 'object' || schema === null) return [`${path} is not a schema`]
  const { type, items, properties = {}, format, required = [] } = schema as Json
  const types = [type].flat()
  return [
    ...(types.includes('array') && items === undefined ? [`${path}: array schema missing items`] : []),
    ...(format === undefined || ['date-time', 'date', 'time', 'email', 'uuid'].includes(format as string)
      ? []
      : [`${path}: format`]),
    ...(required as string[]).filter((name) => !(name in (properties as Json))).map((name) => `${path}: requires ${name}`),
    ...Object.entries(properties as Json).flatMap(([name, each]) => flawsIn(each, `${path}.${name}`)),
    ...(items === undefined ? [] : flawsIn(items, `${path}[]`)),
  ]
}

describe('the schema of a tool', () => {
  it('is accepted by every provider, on all levels', async () => {
    await using rig = await startModelRig({
      tools: [tool('tags_add', { input_schema: BAD?.inputSchema }), tool('echo')],
      script: ({ body }) => {
        const flaws = (body['tools'] as { function: { parameters: Json } }[]).flatMap((each) => flawsIn(each.function.parameters))
        return flaws.length > 0 ? { status: 400, error: flaws.join(', ') } : { text: 'done' }
      },
    })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'done' })
    expect(rig.model.requests[0]?.tools).toContain('tags_add')
  })

  it.each<[string, Json, Json]>([
    ['lists without items', { type: 'array' }, { type: 'array', items: {} }],
    ['lists of an older standard', { type: 'array', items: [{ type: 'string' }] }, { type: 'array', items: {} }],
    ['formats of others', { type: 'integer', format: 'uint32' }, { type: 'integer' }],
    ['types of others', { type: 'int' }, { type: 'integer' }],
    ['types that are none', { type: 'any' }, {}],
    ['references to nothing', { $ref: '#/$defs/gone' }, {}],
    ['references to elsewhere', { $ref: 'https://example.org/schema' }, {}],
    [
      'keywords of older standards',
      { type: 'number', minimum: 1, exclusiveMinimum: true, required: true },
      { type: 'number', minimum: 1 },
    ],
    ['empty lists of schemas', { anyOf: [] }, {}],
    ['choices that are none', { enum: 'a' }, {}],
    ['choices twice', { enum: ['a', 'a'] }, { enum: ['a'] }],
    ['patterns that are parts', { type: 'string', pattern: 'a(?=b)' }, { type: 'string' }],
    ['schemas that are true', { type: 'array', items: true }, { type: 'array', items: {} }],
    ['keywords that are not known', { type: 'string', 'x-order': 1 }, { type: 'string' }],
  ])('is mended: %s', (_flaw, property, mended) =>
    expect(acceptableSchema({ properties: { a: property, b: { properties: { c: property } } } })).toEqual({
      type: 'object',
      properties: { a: mended, b: { properties: { c: mended } } },
    }),
  )

  it('keeps what it can, names that no provider accepts only if they are required', () => {
    const properties = { 'bad name': {}, 'other bad': {}, good: { type: 'string', enum: ['a', 'b'] } }
    expect(acceptableSchema({ properties, required: ['bad name', 'gone', 5] })).toEqual({
      type: 'object',
      properties: { 'bad name': {}, good: { type: 'string', enum: ['a', 'b'] } },
      required: ['bad name'],
    })
  })

  it('is made of anything, at once', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 6 })), (schema) => {
        const made = acceptableSchema({ ...schema, properties: schema })
        expect(made['type']).toBe('object')
        expect(flawsIn(made)).toEqual([])
      }),
      { seed: 14, numRuns: 300 },
    )
  })
})

describe('a tool that an endpoint refuses', () => {
  const refuses = (body: Json, name: string): boolean => JSON.stringify(body['tools']).includes(name)

  it.each([
    ['by its name', "Invalid schema for function 'odd_tool': something new is wrong"],
    ['by its place', 'tools.3.custom.input_schema: JSON schema is invalid'],
  ])('is left out if it is named %s, with a line in the log', async (_how, error) => {
    await using rig = await startModelRig({
      tools: [tool('echo'), tool('odd_tool')],
      script: ({ body }) => (refuses(body, 'odd_tool') ? { status: 400, error } : { text: 'done' }),
    })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'done' })
    expect(rig.model.requests[1]?.tools).toEqual(['finish', 'ask_user', 'echo'])
    expect(rig.server.log.lines.join('\n')).toContain("the tool 'odd_tool' is left out")
  })

  it('is offered with the names of its arguments alone if it is not named', async () => {
    await using rig = await startModelRig({
      tools: [tool('odd')],
      script: ({ body }) =>
        JSON.stringify(body['tools']).includes('"text":{"type"')
          ? { status: 400, error: 'Failed to compile the schema of a function: unsupported' }
          : { text: 'done' },
    })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'done' })
  })
})

describe('more tools than a provider accepts', () => {
  const many = Array.from({ length: 200 }, (_, index) => tool(`tool_${String(index).padStart(3, '0')}`))
  const printer = tool('zebra_print', { description: 'Prints a label on paper' })

  it('are found by a search, and offered from then on', async () => {
    await using rig = await startModelRig({
      tools: [...many, printer],
      answers: { zebra_print: () => 'printed' },
      script: [
        { calls: [{ tool: 'find_tools', input: { query: 'print label' } }] },
        { calls: [{ tool: 'zebra_print' }] },
        { text: 'done' },
      ],
    })
    expect(await rig.run('print it')).toMatchObject({ status: 'completed', result: 'done' })
    const [first, second] = rig.model.requests
    for (const { tools } of rig.model.requests) expect(tools.length).toBeLessThanOrEqual(128)
    expect(first?.tools).toContain('find_tools')
    expect(first?.tools).not.toContain('zebra_print')
    expect(second?.tools).toContain('zebra_print')
    expect(second?.text).toMatch(/zebra_print: Prints a label/)
    expect(rig.received.flatMap(({ tools }) => tools.map(({ name }) => name))).toEqual(['zebra_print'])
  })

  it('are not searched where all are offered', async () => {
    await using rig = await startModelRig({ tools: many.slice(0, 100), script: [{ text: 'done' }] })
    await rig.run('do it')
    expect(rig.model.requests[0]?.tools).not.toContain('find_tools')
    expect(rig.model.requests[0]?.tools).toHaveLength(102)
  })

  it('are as many as the endpoint says that it takes', async () => {
    const error =
      "Invalid 'tools': array too long. Expected an array with maximum length 20, but got an array with length 102 instead."
    await using rig = await startModelRig({
      tools: many.slice(0, 100),
      script: ({ tools }) => (tools.length > 20 ? { status: 400, error } : { text: 'done' }),
    })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'done' })
    expect(rig.model.requests).toHaveLength(2)
  })

  it('have names and texts without half a character', () => {
    const description = `${'x'.repeat(1999)}\u{1F600}`
    const { prose } = modelTools([MCPToolInfo.parse(tool('t', { description }))], [])
    expect(prose['t']?.description).toBe('x'.repeat(1999))
  })
})

describe('half a character', () => {
  it('is in no request, wherever a text is cut and whatever a device sends', async () => {
    const emoji = '\u{1F600}'
    const half = emoji.slice(0, 1)
    const long = [`x${emoji.repeat(40_000)}`, emoji.repeat(40_000)]
    await using rig = await startModelRig({
      config: { context_tokens: 16_000 },
      tools: [
        tool('read', {
          description: `x${emoji.repeat(2000)}`,
          input_schema: {
            type: 'object',
            properties: { [`a${half}`]: { description: emoji.repeat(2000) }, b: { enum: [half] } },
          },
        }),
        tool(`odd${half}`),
      ],
      answers: { read: ({ text }) => (text === 'half' ? { [half]: `half: ${half}` } : long[Number(text)]) },
      script: (_request, index) =>
        index < 8
          ? {
              text: `y${emoji.repeat(200)}`,
              calls: [{ tool: 'read', input: { text: index === 3 ? 'half' : String(index % 2) } }],
            }
          : { calls: [{ tool: 'finish', input: { status: 'failed', result: emoji.repeat(3000) } }] },
    })
    const session = await rig.run(`Look ${half}`)
    expect(session['status']).toBe('failed')
    for (const { body } of rig.model.requests) expect(JSON.stringify(body)).not.toMatch(/\\ud[89a-f][0-9a-f]{2}/i)
    expect(JSON.stringify(session['error'])).not.toMatch(/\\ud[89a-f][0-9a-f]{2}/i)
    expect(rig.model.requests.at(-1)?.text).toContain('Your earlier steps, shortened')
  })
})
