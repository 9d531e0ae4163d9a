import { MCPToolInfo } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { modelTools } from '../../src/agents/model/model-tools.js'
import { tool } from '../support/model-rig.js'

const tools = (...names: string[]): MCPToolInfo[] => names.map((name) => MCPToolInfo.parse(tool(name)))

describe('the tools of a device as those of a model', () => {
  const names = ['read', 'files.read', 'files_read', 'finish', '1st', 'ä', 'x'.repeat(80), `${'x'.repeat(79)}y`]

  it('have names that every provider takes, each once, and know their own', () => {
    const made = modelTools(tools(...names), ['finish'])
    const known = made.list.map(({ name }) => name)
    for (const name of known) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/)
    expect(new Set(known).size).toBe(names.length)
    expect(known).not.toContain('finish')
    expect([...made.names.values()].sort()).toEqual([...names].sort())
    expect(made.names.get('read')).toBe('read')
    expect(made.names.get('files_read')).toBe('files_read')
  })

  it('have the same names in whatever order the device lists them', () => {
    const other = modelTools(tools(...names.toReversed()), ['finish'])
    expect([...other.names]).toEqual([...modelTools(tools(...names), ['finish']).names])
  })

  it('have a schema that is an object, with what providers refuse at its top left out', () => {
    const schema = { $schema: 'x', type: 'object', properties: { a: { anyOf: [{}] } }, required: ['a'], anyOf: [] }
    const [with_, without] = [{ input_schema: schema }, { input_schema: null }].map(
      (more) => modelTools([MCPToolInfo.parse(tool('t', more))], []).list[0]?.inputSchema,
    )
    expect(with_).toEqual({ type: 'object', properties: { a: { anyOf: [{}] } }, required: ['a'] })
    expect(without).toEqual({ type: 'object', properties: {} })
  })
})
