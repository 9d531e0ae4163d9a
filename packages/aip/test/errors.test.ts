import { describe, expect, it } from 'vitest'
import { AipError, ERRORS, aipError, clip, errorOfText, errorText, messageOf, type ErrorCode } from '../src/errors.js'
import { LIMITS } from '../src/limits.js'

type Values = Record<string, string>
interface Entry {
  text: (values: Values) => string
  http: number
  doc: string
}

const CATALOGUE = Object.entries(ERRORS) as unknown as [ErrorCode, Entry][]

/** Values for every text: whatever it asks for. What was asked for is noted. */
function values(asked: Set<string>, value: (name: string) => string): Values {
  return new Proxy<Values>(
    {},
    {
      get(_, name) {
        asked.add(String(name))
        return value(String(name))
      },
    },
  )
}

/** Errors whose text is what somebody else said. */
const PASSED_ON = new Set<ErrorCode>(['REPORTED_BY_PEER', 'INVALID_CONFIG', 'INVALID_WORKFLOW', 'AGENT_FAILED', 'INVALID_INPUT'])

describe('the catalogue of errors', () => {
  it.each(CATALOGUE)('%s has a text that uses its values, a status and a line for the reference', (code, { text, http, doc }) => {
    const asked = new Set<string>()
    const shown = text(values(asked, (name) => `<${name}>`))
    expect(shown.trim()).not.toBe('')
    expect(shown).not.toMatch(/undefined|\[object|NaN/)
    for (const name of asked) expect(shown).toContain(`<${name}>`)
    expect(http).toBeGreaterThanOrEqual(400)
    expect(http).toBeLessThanOrEqual(599)
    expect(doc).toMatch(/\.$/)
    expect(aipError(code, ...([values(asked, () => '7')] as never))).toMatchObject({ code, httpStatus: http, name: 'AipError' })
  })

  it.each(CATALOGUE)('%s never has more than 4096 bytes', (code) => {
    const long = values(new Set(), () => 'x'.repeat(100_000))
    expect(Buffer.byteLength(errorText(code, ...([long] as never)))).toBeLessThanOrEqual(LIMITS.errorText)
    expect(Buffer.byteLength(aipError(code, ...([long] as never)).message)).toBeLessThanOrEqual(4096)
  })

  it('no two errors share a text, but those that pass on what another said', () => {
    const texts = CATALOGUE.filter(([code]) => !PASSED_ON.has(code)).map(([, { text }]) => text(values(new Set(), () => 'v')))
    expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([])
    for (const [code, { text }] of CATALOGUE) {
      if (PASSED_ON.has(code)) expect(text(values(new Set(), () => 'v'))).toBe('v')
    }
  })

  it('no two errors share a line of the reference', () => {
    const docs = CATALOGUE.map(([, { doc }]) => doc)
    expect(new Set(docs).size).toBe(docs.length)
  })
})

describe('texts of errors', () => {
  it('are cut at 4096 bytes with an ellipsis, others left alone', () => {
    expect(clip('x'.repeat(4096))).toBe('x'.repeat(4096))
    expect(clip('x'.repeat(4097))).toBe(`${'x'.repeat(4093)}…`)
    expect(new AipError('AGENT_FAILED', 'x'.repeat(5000)).message).toHaveLength(4094)
  })

  it('are never cut within a character', () => {
    const cut = clip('😀'.repeat(3000))
    expect(Buffer.byteLength(cut)).toBe(4095)
    expect(cut.isWellFormed()).toBe(true)
    expect(cut).toBe(`${'😀'.repeat(1023)}…`)
  })

  it('are found in anything that was thrown', () => {
    expect(messageOf(new Error('text'))).toBe('text')
    expect(messageOf('text')).toBe('text')
    expect(messageOf(undefined)).toBe('undefined')
    expect(messageOf(new AggregateError([new Error('refused by ::1'), new Error('refused by 127.0.0.1')]))).toBe(
      'refused by ::1; refused by 127.0.0.1',
    )
    expect(messageOf(new AggregateError([], 'text'))).toBe('text')
  })

  it('are known again by their text, whatever their values', () => {
    const codes = ['FILE_NOT_FOUND', 'PATH_KIND', 'FILE_FAILED', 'INTERRUPTED'] as const
    const again = (text: string): unknown => errorOfText(text, codes)?.code
    expect(again(errorText('FILE_NOT_FOUND', { path: '/a (b)\n*' }))).toBe('FILE_NOT_FOUND')
    expect(again(errorText('PATH_KIND', { path: 'x', expected: 'a file' }))).toBe('PATH_KIND')
    expect(again(errorText('FILE_FAILED', { path: 'x', detail: 'full' }))).toBe('FILE_FAILED')
    expect(again(errorText('INTERRUPTED'))).toBe('INTERRUPTED')
    expect(again(`${errorText('INTERRUPTED')} more`)).toBeUndefined()
    expect(again(`so: ${errorText('FILE_NOT_FOUND', { path: 'x' })}`)).toBeUndefined()
    expect(errorOfText('File not found: x', codes)).toMatchObject({ message: 'File not found: x', httpStatus: 404 })
  })

  it('keep the cause', () => {
    const cause = new Error('inner')
    expect(new AipError('INTERNAL', 'outer', { cause }).cause).toBe(cause)
  })
})
