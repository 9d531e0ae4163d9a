import type { Result } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { sendableResults } from '../src/client/sendable-results.js'

const result = (value: unknown, call_id: string): Result => ({
  status: 'success',
  error: null,
  result: value,
  namespace: 'lab',
  call_id,
})

describe('the results of a batch', () => {
  it('are sent as they are when they fit', () => {
    const results = [0, '', false, [], null, { a: 1 }].map((value, index) => result(value, `c${index}`))
    expect(sendableResults(results)).toEqual(results)
  })

  const circle: unknown[] = []
  circle.push(circle)

  it.each([
    ['a bigint', 1n],
    ['a circle', circle],
  ])('become failures if a value is not JSON: %s', (_name, value) => {
    expect(sendableResults([result('ok', 'c1'), result(value, 'c2')])).toEqual([
      result('ok', 'c1'),
      {
        status: 'failure',
        error: expect.stringMatching(/^The result cannot be sent: /),
        result: null,
        namespace: 'lab',
        call_id: 'c2',
      },
    ])
  })

  it('become failures, the largest first, until the frame is within its limit', () => {
    const mebibytes = (count: number): string => 'x'.repeat(count * 1024 * 1024)
    const results = [result(mebibytes(30), 'c1'), result(mebibytes(60), 'c2'), result(mebibytes(40), 'c3'), result('ok', 'c4')]
    const sent = sendableResults(results)
    expect(sent.map(({ status }) => status)).toEqual(['success', 'failure', 'success', 'success'])
    expect(sent[1]).toMatchObject({ error: 'Message exceeds the limit of 104857600 bytes', result: null, call_id: 'c2' })
  })
})
