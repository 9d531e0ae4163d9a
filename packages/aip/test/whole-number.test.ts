import { describe, expect, it } from 'vitest'
import { WholeNumber, decodeServerMessage, parseWhole } from '../src/index.js'

describe('a whole number of up to 64 bits', () => {
  it.each(['9007199254740993', '-9223372036854775808', '18446744073709551615', '9223372036854775807'])(
    '%s is read and written with all its digits',
    (digits) => {
      const read = parseWhole(`{"a":[${digits}]}`)
      expect(JSON.stringify(read)).toBe(`{"a":[${digits}]}`)
      expect(JSON.stringify(parseWhole(JSON.stringify(read)))).toBe(`{"a":[${digits}]}`)
    },
  )

  it.each([
    '9007199254740991',
    '9007199254740992',
    '0',
    '-1',
    '1234567890123456',
    '1.2345678901234567',
    '1e30',
    '"9007199254740993"',
    '98765432109876543210',
  ])('%s is read as ever', (text) => expect(parseWhole(text)).toBe(JSON.parse(text)))

  it('is only made where a plain number would not do', () => {
    expect(WholeNumber.of(5n)).toBe(5)
    expect(WholeNumber.of(2n ** 63n)).toBeInstanceOf(WholeNumber)
    expect(() => WholeNumber.of(2n ** 64n)).toThrow('has more than 64 bits: write it in quotes')
  })

  it('is whole in the arguments of a command', () => {
    const action = { tool_name: 't', parameters: { id: 0 }, call_id: 'c' }
    const text = JSON.stringify({ type: 'command', status: 'continue', session_id: 's', response_id: 'r', actions: [action] })
    const { message } = decodeServerMessage(text.replace('"id":0', '"id":9007199254740993'))
    expect(JSON.stringify(message)).toContain('"id":9007199254740993')
  })

  it('differs from others by its properties too, so hashes of arguments differ', () => {
    expect(Object.entries(new WholeNumber(2n ** 63n))).toEqual([['digits', '9223372036854775808']])
  })
})
