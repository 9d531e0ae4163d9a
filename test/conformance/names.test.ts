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

/** A name that a program can import, `Class.method()` or `Enum.VALUE`. */
const NAMES = HERE.flatMap((cell) => [...cell.matchAll(/`([A-Z]\w+)(?:\.(\w+)(\(\))?)?`/g)].map(([, ...parts]) => parts))

/** Types only: nothing of them is left when the program runs. */
const TYPES = new Set(['INVALID_INPUT'])

describe('the table of names in docs/compatibility.md', () => {
  it('is there', () => {
    expect(NAMES.length).toBeGreaterThan(60)
  })

  it.each(NAMES.filter(([name = '']) => !TYPES.has(name)))('names what there is: %s %s', (owner = '', member, call) => {
    const value = EXPORTS[owner]
    expect(value, owner).toBeDefined()
    if (member === undefined) return
    const holder: unknown = typeof value === 'function' ? value.prototype : value
    const found: unknown = Reflect.get(Object(holder) as object, member)
    expect(typeof found, `${owner}.${member}`).toBe(call === undefined ? 'string' : 'function')
  })
})
