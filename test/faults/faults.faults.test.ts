import { describe, expect, it } from 'vitest'
import { canFillDisks } from './disk.js'
import { KIND_NAMES } from './kinds.js'
import { planFaults } from './plan.js'
import { findingsOf } from './report.js'
import { runFaults } from './run-faults.js'

describe('injected faults', () => {
  it(
    '200 of them lose nothing, run nothing twice and give no requester what another asked for',
    { timeout: 600_000 },
    async () => {
      const kinds = canFillDisks() ? KIND_NAMES : KIND_NAMES.filter((kind) => !kind.endsWith('disk-full'))
      const { book } = await runFaults({ count: 200, seed: 7, devices: 8, kinds })
      expect(book.findings.length, findingsOf(book).join('\n')).toBe(0)
      expect(book.injected.length).toBeGreaterThan(180)
      expect(book.injected.filter(({ duringCommand }) => duringCommand).length).toBeGreaterThan(book.injected.length / 3)
    },
  )

  it('are the same for the same seed', () => {
    const options = { count: 50, seed: 3, devices: 4 }
    expect(planFaults(options)).toEqual(planFaults(options))
    expect(planFaults({ ...options, seed: 4 })).not.toEqual(planFaults(options))
  })
})
