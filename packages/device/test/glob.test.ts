import { matchesGlob as reference } from 'node:path'
import { array, assert, constantFrom, oneof, pre, property, tuple, type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEVICE_LIMITS } from '../src/limits.js'
import { hasTooManyAlternatives, matchesGlob, matchesName } from '../src/paths/glob.js'

const letter = constantFrom('a', 'b')
const word = array(oneof(letter, constantFrom('*', '?')), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''))
/** Two or three alternatives, some of them over several folders. */
const braces = array(
  oneof(
    word,
    tuple(word, word).map((parts) => parts.join('/')),
  ),
  { minLength: 2, maxLength: 3 },
).map((parts) => `{${parts.join(',')}}`)
const segment = array(oneof({ weight: 3, arbitrary: word }, braces), { minLength: 1, maxLength: 2 })
  .map((parts) => parts.join(''))
  // The reference reads these as `**` in a word, which stands for something else there.
  .filter((text) => !/\*\*|\*\{[^}]*\*|\*[^{]*\}(?:\*|\{[^}]*\*)|\*\},|\{\*/.test(text))
/** A pattern over folders; `**` at the end is left out, because the reference has it stand for at least one folder. */
const pattern: Arbitrary<string> = tuple(array(oneof(segment, constantFrom('**')), { maxLength: 3 }), segment).map(
  ([parts, last]) => [...parts, last].join('/'),
)
const way = array(
  array(letter, { minLength: 1, maxLength: 3 }).map((letters) => letters.join('')),
  { minLength: 1, maxLength: 4 },
).map((names) => names.join('/'))

describe('path patterns', () => {
  it('match what those of Node match', () => {
    assert(
      property(pattern, way, (wanted, path) => {
        // Without a slash in it a pattern of ours is about the name alone, wherever it lies.
        const hasFolders = wanted.replaceAll(/\{[^}]*\}/g, '').includes('/')
        pre((hasFolders || !wanted.includes('/')) && !hasTooManyAlternatives(wanted))
        const whole = hasFolders ? wanted : `**/${wanted}`
        expect(matchesGlob(wanted, path)).toBe(reference(path, whole))
      }),
      { numRuns: 2000 },
    )
  })

  it('match names as a regular expression does', () => {
    const text = array(constantFrom('a', 'b', '.', '{'), { maxLength: 5 }).map((parts) => parts.join(''))
    const wanted = array(constantFrom('a', 'b', '.', '{', '*', '?'), { maxLength: 6 }).map((parts) => parts.join(''))
    assert(
      property(wanted, text, (wildcards, name) => {
        const escaped = wildcards.replace(/[.{]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')
        expect(matchesName(wildcards, name)).toBe(new RegExp(`^${escaped}$`).test(name))
      }),
      { numRuns: 2000 },
    )
  })

  it('may stand for a limited number of alternatives; more are an error, never a pattern that matches nothing', () => {
    const most = `{${Array.from({ length: DEVICE_LIMITS.patternAlternatives }, (_, n) => `n${n}`).join(',')}}`
    expect(hasTooManyAlternatives(most)).toBe(false)
    expect(matchesGlob(most, 'n63')).toBe(true)
    for (const many of [most.replace('n0', 'n0,x'), '{a,b,c}{a,b,c}{a,b,c}{a,b,c}', '{a,b}'.repeat(1000)]) {
      expect(hasTooManyAlternatives(many)).toBe(true)
      expect(() => matchesGlob(many, 'a')).toThrow(/64 alternatives/)
    }
  })
})
