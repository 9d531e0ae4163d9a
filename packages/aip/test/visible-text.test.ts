import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clearText, visibleText } from '../src/visible-text.js'

const ANY = fc.string({ unit: 'binary', maxLength: 200 })

describe('a text that others wrote', () => {
  it('has nothing that controls a terminal or hides, but its line breaks and tabs', () => {
    fc.assert(
      fc.property(ANY, (text) => {
        expect(visibleText(text).replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      }),
    )
    expect(visibleText('a\u001B[2J\n\u009B31m\u202E\u007F\t😀')).toBe('a\\u001b[2J\n\\u009b31m\\u202e\\u007f\t😀')
  })

  it('is the same JSON document afterwards', () => {
    fc.assert(
      fc.property(fc.dictionary(ANY, fc.oneof(ANY, fc.double(), fc.constant(null))), (value) => {
        expect(JSON.parse(visibleText(JSON.stringify(value, null, 2)))).toEqual(JSON.parse(JSON.stringify(value)))
        expect(JSON.parse(clearText(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('can be judged: one line, no blank but the space, nothing unseen, and as JSON it can be read back', () => {
    fc.assert(
      fc.property(ANY, (text) => {
        const quoted = clearText(JSON.stringify(text))
        expect(quoted).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\s/u)
        expect(JSON.parse(quoted)).toBe(text.toWellFormed() === text ? text : JSON.parse(JSON.stringify(text)))
      }),
    )
    expect(clearText(`e\u0301${'\u0336'.repeat(5)}`)).toBe(`e${String.raw`\u0301`}${String.raw`\u0336`.repeat(5)}`)
    expect(clearText('rm\u00A0-rf "x"\uFE0F\u3164\u{E0041}')).toBe(String.raw`rm\u00a0-rf "x"\ufe0f\u3164\udb40\udc41`)
  })
})
