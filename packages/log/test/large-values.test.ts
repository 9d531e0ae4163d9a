import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ValueReference } from '../src/index.js'
import { encodeData, resolveData } from '../src/large-values.js'
import { openLog } from './support/temporary.js'

const big = 'x'.repeat(2000)
const reference: ValueReference = { $value: expect.stringMatching(/^[0-9a-f]{64}$/) as string, bytes: 2002 }

describe('large values', () => {
  it('are replaced by references, at the top level and in the objects of a list there', async () => {
    const log = openLog(':memory:', { inlineBytes: 1000 })
    await log.append('s', 'n', { small: 1, big, results: [{ status: 'success', result: big }, { result: 'small' }] })
    const data = log.read('s')[0]?.data
    expect(data).toEqual({ small: 1, big: reference, results: [{ status: 'success', result: reference }, { result: 'small' }] })
    expect(log.value((data as { big: ValueReference }).big.$value)).toBe(big)
    expect(log.resolve(data)).toEqual({ small: 1, big, results: [{ status: 'success', result: big }, { result: 'small' }] })
  })

  it('are given for a stream only if one of its records refers to them', async () => {
    const log = openLog(':memory:', { inlineBytes: 1000 })
    await log.append('s', 'n', { big })
    await log.append('other', 'n', { small: 1 })
    const { $value } = (log.read('s')[0]!.data as { big: ValueReference }).big
    expect([log.value($value), log.value($value, 's')]).toEqual([big, big])
    expect([log.value($value, 'other'), log.value($value, 'gone'), log.value('gone', 's')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('are measured in bytes of JSON, and stay in the record up to the limit', async () => {
    const log = openLog(':memory:', { inlineBytes: 1000 })
    const atLimit = 'é'.repeat(499)
    await log.append('s', 'n', { text: atLimit })
    await log.append('s', 'n', { text: `${atLimit}e` })
    expect(log.read('s').map((record) => record.data)).toEqual([
      { text: atLimit },
      { text: { $value: expect.any(String), bytes: 1001 } },
    ])
  })

  it('are kept out of line from 64 KiB of JSON on unless told otherwise', async () => {
    const log = openLog()
    await log.append('s', 'n', { text: 'x'.repeat(65_534) })
    await log.append('s', 'n', { text: 'x'.repeat(65_535) })
    expect(log.read('s').map(({ data }) => typeof (data as { text: unknown }).text)).toEqual(['string', 'object'])
  })

  it('are stored once for all records of a stream', async () => {
    const log = openLog(':memory:', { inlineBytes: 1000 })
    const huge = 'y'.repeat(500_000)
    await log.append('s', 'n', { huge })
    const once = log.bytes
    for (let n = 0; n < 10; n += 1) await log.append('s', 'n', { results: [{ huge }, { huge }] })
    expect(log.bytes).toBeLessThan(once + 50_000)
  })

  it('may have any type', async () => {
    const log = openLog(':memory:', { inlineBytes: 50 })
    const values = { list: Array.from({ length: 50 }, (_, n) => n), object: { text: big } }
    await log.append('s', 'n', values)
    const data = log.read('s')[0]?.data
    expect(JSON.stringify(data).length).toBeLessThan(300)
    expect(log.resolve(data)).toEqual(values)
  })

  it('leave a reference when they are gone with their stream', async () => {
    const log = openLog(':memory:', { inlineBytes: 1000 })
    await log.append('s', 'n', { big }, { open: false })
    const data = log.read('s')[0]?.data
    log.prune({ maxAgeMs: 0 })
    expect(log.resolve(data)).toEqual({ big: reference })
    expect(log.value((data as { big: ValueReference }).big.$value)).toBeUndefined()
  })

  it('of another stream stay when a stream with the same value is pruned', async () => {
    const log = openLog(':memory:', { inlineBytes: 1000 })
    await log.append('closed', 'n', { big }, { open: false })
    await log.append('open', 'n', { big })
    expect(log.prune({ maxAgeMs: 0 })).toBe(1)
    expect(log.resolve(log.read('open')[0]?.data)).toEqual({ big })
  })

  it('cannot be fetched from another stream by data that looks like a reference', async () => {
    const log = openLog(':memory:', { inlineBytes: 1000 })
    await log.append('secret', 'n', { big })
    const [secret] = log.read('secret')
    const stolen = (secret?.data as { big: ValueReference } | undefined)?.big
    const forged = { result: stolen, results: [{ result: stolen }] }
    await log.append('thief', 'n', forged)
    expect(log.resolve(log.read('thief')[0]?.data)).toEqual(forged)
  })

  it('do not confuse data that is not an object, or writes itself', () => {
    for (const data of [big, [big], null, undefined, 5, new Date(0)]) expect(encodeData(data, 10).values.size).toBe(0)
    expect(encodeData(undefined, 10).text).toBe('null')
  })

  it('come back as they were, whatever the data', () => {
    const tricky = fc.oneof(
      fc.jsonValue(),
      fc.record({ $value: fc.string(), bytes: fc.nat() }),
      fc.string({ minLength: 20, maxLength: 60, unit: 'binary' }),
    )
    const object = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', '$value', 'bytes')), tricky)
    const data = fc.oneof(tricky, fc.dictionary(fc.string(), fc.oneof(tricky, fc.array(object), fc.array(tricky))))
    fc.assert(
      fc.property(data, fc.nat(100), (value, inlineBytes) => {
        const { text, values } = encodeData(value, inlineBytes)
        const restored = resolveData(JSON.parse(text), (id) => JSON.parse(String(values.get(id) ?? 'null')))
        expect(restored).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 500 },
    )
  })
})
