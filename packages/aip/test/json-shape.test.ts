import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exceeds, jsonShape, type JsonShape } from '../src/json-shape.js'

const ANY: JsonShape = { depth: Infinity, values: Infinity, widest: Infinity }

/** The shape as a parser sees it; an empty list or object counts as one with a value. */
function shapeOf(value: unknown): JsonShape {
  if (typeof value !== 'object' || value === null) return { depth: 0, values: 0, widest: 0 }
  const parts = Object.values(value).map(shapeOf)
  const own = Math.max(1, parts.length)
  const wide = Array.isArray(value) || parts.length < 2 ? 0 : parts.length
  return {
    depth: 1 + Math.max(0, ...parts.map(({ depth }) => depth)),
    values: own + parts.reduce((sum, { values }) => sum + values, 0),
    widest: Math.max(wide, ...parts.map(({ widest }) => widest)),
  }
}

describe('the shape of a JSON text', () => {
  it('is that of the value, whatever its strings hold', () => {
    const string = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[\\"{}[\],:]*$/))
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: 'medium' }, string, fc.double(), fc.boolean(), tie('list'), tie('object')),
      list: fc.array(tie('any')),
      object: fc.dictionary(
        string.filter((key) => key !== '__proto__'),
        tie('any'),
      ),
    })).any
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2), (given, indent) => {
        const text = JSON.stringify(given, null, indent)
        expect(jsonShape(text, ANY)).toEqual(shapeOf(JSON.parse(text)))
      }),
      { numRuns: 1000 },
    )
  })

  it('is measured no further than its bounds', () => {
    const bounds = { depth: 3, values: 10, widest: 5 }
    const endless = (text: string): JsonShape => jsonShape(text.repeat(1_000_000), bounds)
    for (const text of ['[', '{"a":', '[],', '{"a":1},']) {
      const shape = endless(text)
      expect(exceeds(shape, bounds)).toBe(true)
      expect(Math.max(shape.depth, shape.values)).toBeLessThan(15)
    }
  })

  it('of any text at all is measured', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void jsonShape(text, ANY)))
  })
})
