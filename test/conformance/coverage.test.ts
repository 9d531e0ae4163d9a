import { describe, expect, it } from 'vitest'
import { coverageOf, type Promised } from './coverage.ts'
import promises from './promises.json' with { type: 'json' }

const MANIFEST: readonly Promised[] = [1, 2, 3].map((n) => ({ id: `S-00${n}`, seed: 'ufo_client', promise: 'p' }))

/** The ids as a test cites them; put together, so that this file names none. */
function cite(ids: string): string {
  return ['[', ids, ']'].join('')
}

function testLine(ids: string, call = 'it'): string {
  return `${call}('does it ${cite(ids)}', () => {})`
}

describe('the manifest of promises', () => {
  it('has each id once, in order, and says which contradiction decides an exception', () => {
    const ids = promises.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)].sort())
    expect(ids.slice(0, 259)).toEqual(Array.from({ length: 259 }, (_, n) => `S-${String(n + 1).padStart(3, '0')}`))
    for (const { exception } of promises as Promised[]) expect(exception?.contradiction ?? 'C-01').toMatch(/^C-\d\d$/)
  })

  it('is compared with the names of tests: what no test names is uncovered, what is not a promise is unknown', () => {
    const files = [
      { path: 'a.test.ts', text: `${testLine('S-001 S-003')}\n${testLine('S-004')}` },
      { path: 'b.test.ts', text: `${testLine('S-001')}\n// ${cite('S-002')} in a comment\n${testLine('S-002', 'it.skip')}` },
    ]
    const { tests, uncovered, unknown } = coverageOf(MANIFEST, files)
    expect(uncovered).toEqual(['S-002'])
    expect(unknown).toEqual(['S-004 (a.test.ts)'])
    expect(tests.get('S-001')).toEqual([
      { path: 'a.test.ts', name: 'does it' },
      { path: 'b.test.ts', name: 'does it' },
    ])
  })

  it('sees the ids in rows of a table too, and that a mistyped id is none', () => {
    const text = `["it's a row ${cite('S-001')}", 1],\n['x ${cite('S-2')}', 2]`
    const { tests, unknown } = coverageOf(MANIFEST, [{ path: 'a.test.ts', text }])
    expect(tests.get('S-001')).toHaveLength(1)
    expect(unknown).toEqual(['S-2 (a.test.ts)'])
  })
})
