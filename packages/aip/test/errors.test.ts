import { describe, expect, it } from 'vitest'
import { AipError, clip, messageOf } from '../src/define-errors.js'
import { aipError, errorOfText, errorText, isAipError } from '../src/errors.js'

describe('an error of a table', () => {
  it('has its code and its text', () => {
    expect(aipError('FILE_NOT_FOUND', { path: 'x' })).toMatchObject({
      name: 'AipError',
      code: 'FILE_NOT_FOUND',
      message: 'File not found: x',
    })
  })

  it('is distinguished from others by its code', () => {
    const error: unknown = aipError('INTERRUPTED')
    expect(isAipError(error, 'FILE_NOT_FOUND', 'INTERRUPTED')).toBe(true)
    expect(isAipError(error, 'FILE_NOT_FOUND')).toBe(false)
    expect(isAipError(Object.assign(new Error('x'), { code: 'INTERRUPTED' }), 'INTERRUPTED')).toBe(false)
    // @ts-expect-error there is no such code
    expect(isAipError(error, 'INTERUPTED')).toBe(false)
  })

  it('without its values, or of another table, does not compile', () => {
    // @ts-expect-error its text needs a path
    expect(() => errorText('FILE_NOT_FOUND')).toThrow()
    // @ts-expect-error the server has this error
    expect(() => errorText('SESSION_NOT_FOUND', { id: 'x' })).toThrow()
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
    expect(errorOfText('File not found: x', codes)).toMatchObject({ message: 'File not found: x' })
  })

  it('keep the cause', () => {
    const cause = new Error('inner')
    expect(new AipError('INTERNAL', 'outer', { cause }).cause).toBe(cause)
  })
})
