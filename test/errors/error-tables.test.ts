import { LIMITS, aipError, errorText } from '@orrery/aip'
import { ERROR_STATUS, SERVER_ERRORS } from '@orrery/server'
import { describe, expect, it } from 'vitest'
import { LISTED } from './tables.js'

type Values = Record<string, string>

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

/** Errors whose text is what another program said. */
const PASSED_ON = new Set([
  'REPORTED_BY_PEER',
  'INVALID_CONFIG',
  'INVALID_WORKFLOW',
  'AGENT_FAILED',
  'INVALID_INPUT',
  'TRANSFER_FAILED',
])
const OWN_TEXTS = LISTED.filter(({ name, code }) => !PASSED_ON.has(code) && !name.startsWith('constellation'))

describe('the tables of errors', () => {
  it.each(LISTED)('$name has a text that uses its values, and a line for the reference', ({ text, doc }) => {
    const asked = new Set<string>()
    const shown = text(values(asked, (name) => `<${name}>`))
    expect(shown.trim()).not.toBe('')
    expect(shown).not.toMatch(/undefined|\[object|NaN/)
    for (const name of asked) expect(shown).toContain(`<${name}>`)
    expect(doc).toMatch(/\.$/)
  })

  it('have no two errors that share a text, but those that pass on what another said', () => {
    const texts = OWN_TEXTS.map(({ text }) => text(values(new Set(), () => 'v')))
    expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([])
    for (const { code, text } of LISTED) if (PASSED_ON.has(code)) expect(text(values(new Set(), () => 'v'))).toBe('v')
  })

  it('have no two errors that share a line of the reference, and but for the SDK no two that share a code', () => {
    const docs = LISTED.map(({ doc }) => doc)
    expect(docs.filter((doc, index) => docs.indexOf(doc) !== index)).toEqual([])
    const codes = LISTED.filter(({ name }) => !name.startsWith('constellation')).map(({ code }) => code)
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
  })

  it('give texts of 4096 bytes at most', () => {
    const long = 'x'.repeat(100_000)
    expect(Buffer.byteLength(errorText('INVALID_MESSAGE', { detail: long }))).toBeLessThanOrEqual(LIMITS.errorText)
    expect(Buffer.byteLength(aipError('INVALID_MESSAGE', { detail: long }).message)).toBeLessThanOrEqual(4096)
    expect(Buffer.byteLength(SERVER_ERRORS.make('AGENT_FAILED', { text: long }).message)).toBeLessThanOrEqual(4096)
  })

  it.each(Object.entries(ERROR_STATUS))('%s has the status of an error: %i', (_code, status) => {
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThanOrEqual(599)
  })
})
