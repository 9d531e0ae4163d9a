import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endOf, shortened, startOf } from '../src/cut-text.js'

const SMILE = '\u{1F600}'

describe('a text that is cut', () => {
  it('never ends or begins in the middle of a character', () => {
    expect(startOf(`x${SMILE}${SMILE}`, 2)).toBe('x')
    expect(startOf(`x${SMILE}${SMILE}`, 3)).toBe(`x${SMILE}`)
    expect(endOf(`${SMILE}${SMILE}x`, 2)).toBe('x')
    expect(endOf(`${SMILE}x`, 0)).toBe('')
    expect(shortened(`x${SMILE}${SMILE}`, 4)).toBe(`x${SMILE}…`)
    expect(shortened(`x${SMILE}${SMILE}`, 3)).toBe('x…')
    expect(shortened('short', 5)).toBe('short')
  })

  it('is well formed and short enough, whatever it was', () => {
    const texts = fc.array(fc.constantFrom('a', SMILE, '\uD83D', '\uDE00', 'é')).map((parts) => parts.join(''))
    fc.assert(
      fc.property(texts, fc.nat(20), (text, length) => {
        for (const cut of [startOf(text, length), endOf(text, length), shortened(text, length + 1)]) {
          expect(cut.isWellFormed()).toBe(true)
          expect(cut.length).toBeLessThanOrEqual(length + 1)
        }
      }),
      { seed: 14 },
    )
  })
})
