import { readFileSync } from 'node:fs'
import * as aip from '@orrery/aip'
import * as node from '@orrery/aip/node'
import * as device from '@orrery/device'
import * as server from '@orrery/server'
import { describe, expect, it } from 'vitest'

const EXPORTS: Readonly<Record<string, unknown>> = { ...aip, ...node, ...device, ...server }
const PAGE = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8')

/** The column "here" of the table of names. */
const HERE = PAGE.slice(PAGE.indexOf('### Names'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| in the documents'))
  .map((line) => line.split('|').at(-2) ?? '')

/** Names that a program can import: `Class`, `Class.method()` or `Enum.VALUE`. */
const NAMES = HERE.flatMap((cell) =>
  [...cell.matchAll(/`([A-Z]\w+)(?:\.(\w+)(\(\))?)?`/g)].map(([, owner = '', member = '', call = '']) => ({
    owner,
    member,
    call,
  })),
)

/** Types only: nothing of them is left when the program runs. */
const TYPES = new Set(['INVALID_INPUT'])

describe('the table of names in docs/compatibility.md', () => {
  it('is there', () => {
    expect(NAMES.length).toBeGreaterThan(60)
  })

  it.each(NAMES.filter(({ owner }) => !TYPES.has(owner)))('names what there is: $owner $member', ({ owner, member, call }) => {
    const value = EXPORTS[owner]
    expect(value, owner).toBeDefined()
    if (member === '') return
    const holder: unknown = typeof value === 'function' ? value.prototype : value
    const found: unknown = Reflect.get(Object(holder) as object, member)
    expect(typeof found, `${owner}.${member}`).toBe(call === '' ? 'string' : 'function')
  })
})
