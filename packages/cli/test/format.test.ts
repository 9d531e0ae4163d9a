import { describe, expect, it } from 'vitest'
import { age, displayWidth, duration, fit } from '../src/terminal/format.js'
import { plain, singleLine } from '../src/terminal/painted.js'
import { details, table } from '../src/terminal/table.js'

const NOW = Date.parse('2026-01-02T00:00:00Z')

describe('texts of devices', () => {
  it('cannot steer the terminal or break a line', () => {
    expect(singleLine('a\u001B[2Jb\r\nc\u0007\td\u0090e')).toBe('ab c d e')
    expect(singleLine('a\u202Eb\uDB40\uDC01c')).toBe(String.raw`a\u202eb\udb40\udc01c`)
  })

  it('take as many columns as the terminal gives them', () => {
    expect(displayWidth('abc')).toBe(3)
    expect(displayWidth('日本')).toBe(4)
    expect(displayWidth('é')).toBe(1)
    expect(displayWidth('🚀\u001B[31m!')).toBe(3)
  })

  it('are cut with a mark, never over the width', () => {
    expect(fit('abc', 3)).toBe('abc')
    expect(fit('abcdef', 4)).toBe('abc…')
    expect(displayWidth(fit('日本日本', 4))).toBeLessThanOrEqual(4)
  })
})

describe('times', () => {
  it.each([
    [-5, '0 ms'],
    [999, '999 ms'],
    [1500, '1.5 s'],
    [9960, '10 s'],
    [59_400, '59 s'],
    [61_000, '1 min 1 s'],
    [3_720_000, '1 h 2 min'],
  ])('a span of %i ms is %s', (ms, text) => expect(duration(ms)).toBe(text))

  it.each([
    ['2026-01-02T00:00:05Z', '0 s'],
    ['2026-01-01T23:59:01Z', '59 s'],
    ['2026-01-01T23:00:01Z', '59 min'],
    ['2026-01-01T00:00:01Z', '23 h'],
    ['2025-12-30T00:00:00Z', '3 d'],
  ])('the age of %s is %s', (time, text) => expect(age(time, NOW)).toBe(text))
})

describe('a table', () => {
  const rows = [
    ['lab', 'a request of many words that goes on and on'],
    ['a-device-with-a-long-name', '日本'],
  ]

  it('is aligned, and as wide as it needs to be on a pipe', () => {
    expect(table(['DEVICE', 'REQUEST'], rows, [1], Infinity).map(plain)).toEqual([
      'DEVICE                     REQUEST',
      'lab                        a request of many words that goes on and on',
      'a-device-with-a-long-name  日本',
    ])
  })

  it('fits the terminal: columns give room in their order', () => {
    const lines = table(['DEVICE', 'REQUEST'], rows, [1, 0], 30).map(plain)
    expect(lines).toEqual(['DEVICE              REQUEST', 'lab                 a request…', 'a-device-with-a-l…  日本'])
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(30)
  })

  it('is only its head without rows', () => {
    expect(table(['A', 'B'], [], [1], 80).map(plain)).toEqual(['A  B'])
  })
})

describe('details', () => {
  it('leave out what has no value', () => {
    expect(
      details([
        ['id', 'x'],
        ['gone', null],
        ['empty', ''],
        ['status', { text: 'failed', style: 'red' }],
      ]).map(plain),
    ).toEqual(['id      x', 'status  failed'])
  })
})
