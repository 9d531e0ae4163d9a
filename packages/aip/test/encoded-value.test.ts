import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EncodedValue, encodedJson } from '../src/encoded-value.js'

function encoded(value: unknown): EncodedValue {
  return new EncodedValue('id', new TextEncoder().encode(JSON.stringify(value)))
}

describe('JSON of a value that holds encoded ones', () => {
  it('is what JSON.stringify writes, whatever it holds', () => {
    const results = fc.array(
      fc.record({ status: fc.string(), result: fc.oneof(fc.jsonValue(), fc.jsonValue().map(encoded)), error: fc.string() }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), results, (session_id, result) => {
        const value = { type: 'task_end', session_id, result: [{ request: session_id, result }] }
        const bytes = encodedJson(value)
        const holdsOne = result.some((item) => item.result instanceof EncodedValue)
        expect(bytes && new TextDecoder().decode(bytes)).toBe(holdsOne ? JSON.stringify(value) : undefined)
      }),
    )
  })

  it('copies the bytes and never parses them', () => {
    const bytes = new TextEncoder().encode('not JSON')
    expect(new TextDecoder().decode(encodedJson({ results: [new EncodedValue('id', bytes)] }))).toBe('{"results":[not JSON]}')
  })
})
