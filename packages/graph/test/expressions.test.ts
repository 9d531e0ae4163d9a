import { WholeNumber } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { evaluateExpression, isMet, parseExpression, render, type JobStatus, type Scope } from '../src/index.js'

const RESULT = JSON.parse(
  '{"http_proxy":"a","HTTP_PROXY":"b","Path":"c","constructor":1,"__proto__":2,"list":[{"n":1},{"n":2},{}]}',
) as object
const scope: Scope = {
  inputs: { name: 'bob', big: new WholeNumber(9_007_199_254_740_993n), text: ' a\nb\r\n\nc\n' },
  env: { http_proxy: 'low', HTTP_PROXY: 'high' },
  steps: { Build: { result: RESULT, status: 'success' } },
  device: { id: 'd', platform: 'linux' },
}
const value = (source: string): unknown => evaluateExpression(parseExpression(source), scope)

describe('an expression', () => {
  it('hands an object on as it is, with keys that differ only in case', () => {
    expect(value('steps.build.result')).toBe(RESULT)
    expect(value('fromJSON(toJSON(steps.build.result))')).toEqual(RESULT)
    expect(JSON.stringify(render({ all: '${{ steps }}' }, scope))).toBe(JSON.stringify({ all: scope.steps }))
  })

  it.each([
    ['steps.BUILD.Status', 'success'],
    ['INPUTS.NAME', 'bob'],
    ["inputs['Name']", 'bob'],
    ['steps.build.result.HTTP_PROXY', 'b'],
    ['steps.build.result.http_proxy', 'a'],
    ['steps.build.result.Http_Proxy', 'a'],
    ['env.HTTP_PROXY', 'high'],
    ['steps.build.result.PATH', 'c'],
    ['steps.build.result.constructor', 1],
    ['steps.build.result.__proto__', 2],
    ['steps.build.result.toString', undefined],
    ['fromJSON(\'{"a":{"B":5}}\').A.b', 5],
    ['steps.build.result.list[1].n', 2],
    ['steps.build.result.list.*.n', [1, 2]],
    ['steps.build.result.list[3]', undefined],
    ['steps.build.result.list[-1]', undefined],
    ["steps.build.result['list']['*']", undefined],
    ['steps.nope.result', undefined],
    ["steps.nope.result || 'none'", 'none'],
    ['steps.build.result == steps.build.result', true],
    ["'A' == 'a'", true],
    ['null == 0', true],
  ])('finds names whatever their case, as they are written first: %s', (source, expected) => {
    expect(value(source)).toEqual(expected)
  })

  it.each([
    ['split(inputs.text)', [' a', 'b', '', 'c']],
    ["split('a,b,', ',')", ['a', 'b', '']],
    ["split('')", []],
    ['split(inputs.text)[1]', 'b'],
    ["join(split('a\nb'), '-')", 'a-b'],
    ['trim(inputs.text)', 'a\nb\r\n\nc'],
    ["length('abc')", 3],
    ['length(split(inputs.text))', 4],
    ['length(steps.build.result)', 6],
    ['length(steps.nope)', 0],
    ['Length(inputs)', 3],
  ])('has functions for texts and lists: %s', (source, expected) => {
    expect(value(source)).toEqual(expected)
  })

  it.each([
    ["split('a', '')", "split() needs a separator, such as ','"],
    ['split(steps)', 'split() needs a text'],
    ['trim(steps)', 'trim() needs a text'],
    ['length(1)', 'length() needs a text, a list or an object'],
    ["fromJSON('{')", 'fromJSON() gets what is not JSON'],
    ["fromJSON('')", 'fromJSON() gets an empty text'],
  ])('says what is wrong with what a function gets: %s', (source, reason) => {
    expect(() => value(source)).toThrow(reason)
  })

  it('keeps whole numbers of 64 bits', () => {
    const json = (source: string): string => JSON.stringify(value(source))
    expect(json('inputs.big')).toBe('9007199254740993')
    expect(json('9223372036854775807')).toBe('9223372036854775807')
    expect(json("fromJSON('[18446744073709551615, 1.5, 9007199254740993]')")).toBe('[18446744073709551615,1.5,9007199254740993]')
    expect(value("format('{0}', inputs.big)")).toBe('9007199254740993')
    expect(render('id ${{ inputs.big }}', scope)).toBe('id 9007199254740993')
    expect(value('inputs.big == 9007199254740992')).toBe(false)
    expect(value('inputs.big > 9007199254740992')).toBe(true)
    expect(value("inputs.big == '9007199254740993'")).toBe(true)
    expect(value('inputs.big < 1.5')).toBe(false)
  })

  it('tells functions and names that exist where it has another one', () => {
    expect(() => parseExpression('nope()')).toThrow(
      "Unrecognized function: 'nope'; there are: always, cancelled, case, contains, endsWith, failure, format, fromJSON, join, length, split, startsWith, success, toJSON, trim",
    )
    expect(() => parseExpression('github.ref')).toThrow(
      "Unrecognized named-value: 'github'; there are: inputs, env, secrets, steps, item, index, device",
    )
  })
})

describe('a condition', () => {
  const holds = (condition: string | boolean | undefined): JobStatus[] =>
    (['success', 'failure', 'cancelled'] as const).filter((status) => isMet(condition, scope, status))

  it.each<[string | boolean | undefined, JobStatus[]]>([
    [undefined, ['success']],
    [true, ['success']],
    ["inputs.name == 'bob'", ['success']],
    [false, []],
    ['success()', ['success']],
    ['failure()', ['failure']],
    ['FAILURE()', ['failure']],
    ['cancelled()', ['cancelled']],
    ['!cancelled()', ['success', 'failure']],
    ['always()', ['success', 'failure', 'cancelled']],
    ["always() && inputs.name == 'eve'", []],
    ["contains(fromJSON('[true]'), failure()) || false", ['failure']],
    ['${{ success() || failure() }}', ['success', 'failure']],
    ["steps.nope.status == 'x'", []],
    ['steps.nope', []],
  ])('%s holds after %j', (condition, expected) => {
    expect(holds(condition)).toEqual(expected)
  })

  it('of a step at the end decides alone', () => {
    expect(isMet(undefined, scope, 'failure', true)).toBe(true)
    expect(isMet('success()', scope, 'failure', true)).toBe(false)
  })
})
