import { describe, expect, it } from 'vitest'
import { keySteps } from '../src/tools/desktop/key-notation.js'

describe('keys in the notation of existing agents', () => {
  it.each([
    ['{VK_CONTROL}c', [{ type: 'key', key: 'ctrl+c', times: 1 }]],
    ['{TAB 2}', [{ type: 'key', key: 'Tab', times: 2 }]],
    ['^+s', [{ type: 'key', key: 'ctrl+shift+s', times: 1 }]],
    ['%{F4}', [{ type: 'key', key: 'alt+F4', times: 1 }]],
    [
      'a b{ENTER}',
      [
        { type: 'text', text: 'a b' },
        { type: 'key', key: 'Return', times: 1 },
      ],
    ],
    [
      'x~',
      [
        { type: 'text', text: 'x' },
        { type: 'key', key: 'Return', times: 1 },
      ],
    ],
    [
      '{+}{}}',
      [
        { type: 'key', key: 'U002B', times: 1 },
        { type: 'key', key: 'U007D', times: 1 },
      ],
    ],
    [
      '{VK_SHIFT down}a{VK_SHIFT up}',
      [
        { type: 'keydown', key: 'shift', times: 1 },
        { type: 'text', text: 'a' },
        { type: 'keyup', key: 'shift', times: 1 },
      ],
    ],
    ['{VK_LWIN}', [{ type: 'key', key: 'super', times: 1 }]],
  ])('are read: %s', (keys, steps) => {
    expect(keySteps(keys)).toEqual(steps)
  })

  it('are refused before anything is pressed when one is not known', () => {
    expect(() => keySteps('ab{NOSUCH}')).toThrow('there is no key {NOSUCH}')
  })
})
