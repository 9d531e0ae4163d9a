import { describe, expect, it } from 'vitest'
import { EscapeKeys } from '../src/exec/escape-keys.js'

/** What reaches the program of some pieces that are typed, and whether the user leaves. */
function typed(...pieces: string[]): [text: string, leave: boolean] {
  const keys = new EscapeKeys()
  let text = ''
  for (const piece of pieces) {
    const { bytes, leave } = keys.take(Buffer.from(piece))
    text += bytes.toString()
    if (leave) return [text, true]
  }
  return [text, false]
}

describe('the keys that leave a terminal', () => {
  it.each([
    [['~.'], '', true],
    [['~', '.'], '', true],
    [['ls\r', '~', '.rest'], 'ls\r', true],
    [['ls\n~.'], 'ls\n', true],
    [['cd ~.\r'], 'cd ~.\r', false],
    [['~~.\r'], '~.\r', false],
    [['~/x\r'], '~/x\r', false],
    [['~', '\r', '~.'], '~\r', true],
    [['é~.'], 'é~.', false],
  ])('%j', (pieces, text, leave) => expect(typed(...pieces)).toEqual([text, leave]))
})
