import { describe, expect, it } from 'vitest'
import { coverageOf, type Exception, type Promised } from './coverage.ts'
import promises from './promises.json' with { type: 'json' }

const MANIFEST: readonly Promised[] = [1, 2, 3].map((n) => ({ id: `S-00${n}`, seed: 'ufo_client', quote: 'q' }))

/** The ids as a test cites them; put together, so that this file names none. */
function cite(ids: string): string {
  return ['[', ids, ']'].join('')
}

function testLine(ids: string, call = 'it'): string {
  return `${call}('does it ${cite(ids)}', () => {})`
}

describe('the manifest of promises', () => {
  it('has the ids from 1 on, once each, and says which contradiction decides an exception', () => {
    const ids = promises.map(({ id }) => id)
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, n) => `S-${String(n + 1).padStart(3, '0')}`))
    for (const { exception } of promises as Promised[]) expect(exception?.contradiction ?? 'C-01').toMatch(/^C-\d\d$/)
  })

  it('quotes the seeds: no quote is empty, and the same words stand for one promise', () => {
    const quotes = promises.map(({ seed, quote }) => `${seed} ${quote}`)
    expect(new Set(quotes).size).toBe(quotes.length)
    for (const { quote } of promises) expect(quote.trim().length).toBeGreaterThan(10)
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

  it('has exceptions whose setting a test shows: one that names no test, or none that runs, is a mistake', () => {
    const test = { path: 'a.test.ts', name: 'does it' }
    const base: Exception = { kind: 'choice', reason: 'r', setting: 'x: off', test }
    const problemsOf = (exception: Exception, text = testLine('S-001')): string[] =>
      coverageOf([{ ...MANIFEST[0]!, exception }], [{ path: 'a.test.ts', text }]).unshown
    expect(problemsOf(base)).toEqual([])
    expect(problemsOf({ kind: 'choice', reason: 'r', setting: null })).toEqual([])
    expect(problemsOf({ kind: 'choice', reason: 'r', setting: 'x: off' })).toEqual([
      "S-001: names no test in which 'x: off' gives the behaviour of the seed",
    ])
    expect(problemsOf({ ...base, setting: null })).toEqual(['S-001: names a test without a setting'])
    expect(problemsOf({ ...base, kind: 'contradiction' })).toEqual(['S-001: names no contradiction'])
    expect(problemsOf({ ...base, test: { ...test, path: 'b.test.ts' } })).toEqual(['S-001: there is no test file b.test.ts'])
    const gone = ["S-001: there is no test 'does it' in a.test.ts"]
    expect(problemsOf(base, "it('does something else', () => {})")).toEqual(gone)
    expect(problemsOf(base, testLine('S-001', 'it.skip'))).toEqual(gone)
  })

  it('sees the ids in rows of a table too, and that a mistyped id is none', () => {
    const text = `["it's a row ${cite('S-001')}", 1],\n['x ${cite('S-2')}', 2]`
    const { tests, unknown } = coverageOf(MANIFEST, [{ path: 'a.test.ts', text }])
    expect(tests.get('S-001')).toHaveLength(1)
    expect(unknown).toEqual(['S-2 (a.test.ts)'])
  })
})
