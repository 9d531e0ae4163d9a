import { describe, expect, it } from 'vitest'
import { parseCall } from '../src/commands/call-words.js'
import type { CliError } from '../src/terminal/errors.js'

describe('the words of `orrery call`', () => {
  it.each([
    [['tool'], undefined, 'tool', undefined, {}],
    [['tool', '{"a": 1}'], undefined, 'tool', undefined, { a: 1 }],
    [['lab', 'tool'], 'lab', 'tool', undefined, {}],
    [['lab', 'tool', '{"a": 1}'], 'lab', 'tool', undefined, { a: 1 }],
    [['action::tool'], undefined, 'tool', 'action', {}],
    [['data_collection::ns.tool', ' {}'], undefined, 'ns.tool', 'data_collection', {}],
  ])('%j', (words, device, tool, type, parameters) => {
    const call = parseCall(words)
    expect(call.device).toBe(device)
    expect(call.command).toEqual({ tool_name: tool, parameters, ...(type === undefined ? {} : { tool_type: type }) })
  })

  it.each([
    [['tool', '{bad'], /not JSON.*single quotes/],
    [['lab', 'tool', 'bad'], /not JSON/],
    [['tool', '[1]'], /JSON object/],
    [['lab', 'tool', 'null'], /JSON object/],
    [['a', 'b', 'c', '{}'], /Too many words/],
    [['{}'], /Name a tool/],
  ])('%j is refused with exit code 2', (words, text) => {
    expect(() => parseCall(words)).toThrow(text)
    expect(() => parseCall(words)).toThrow(expect.objectContaining({ exitCode: 2 }) as CliError)
  })
})
