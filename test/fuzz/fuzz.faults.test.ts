import { describe, expect, it } from 'vitest'
import { KINDS } from './kinds.js'
import { runFuzz } from './run-fuzz.js'

const MIB = 1024 * 1024

describe('hostile input', () => {
  it('of all kinds crashes nothing, leaves nothing unanswered, and keeps no memory', { timeout: 300_000 }, async () => {
    const { counts, found, grown } = await runFuzz({ seconds: 15, seed: 7, kinds: Object.keys(KINDS) })
    expect(found).toEqual([])
    expect([...counts.values()].every((count) => count > 0)).toBe(true)
    expect(counts.size).toBeGreaterThanOrEqual(Object.keys(KINDS).length)
    expect(grown).toBeLessThan(50 * MIB)
  })
})
