import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../../src/agents/model/conversation.js'
import { Untrusted } from '../../src/agents/model/untrusted.js'
import { fitConversation, sizeOf } from '../../src/agents/model/fit-conversation.js'

const user = (text: string): Entry => ({ kind: 'user', text })
const turn = (text: string, ...tools: string[]): Entry => ({
  kind: 'turn',
  turn: {
    heard: [],
    text,
    calls: tools.map((tool, index) => ({ id: `${text}${index}`, tool, input: { path: '/tmp' } })),
    finish: 'tool-calls',
    model: 'm',
    usage: { input_tokens: 1, output_tokens: 1, cached_tokens: 0, cost_usd: null },
    ms: 1,
    content: null,
  },
})
const results = (text: string, images = 0, kind: 'results' | 'observation' = 'results'): Entry => ({
  kind,
  outcomes: [
    {
      callId: '1',
      tool: 'read',
      status: 'success',
      text: new Untrusted(text),
      images: Array.from({ length: images }, () => ({ mediaType: 'image/png', data: 'x' })),
    },
  ],
})
const textsOf = (entries: readonly Entry[]): string =>
  JSON.stringify(entries, (_key, value: unknown) => (value instanceof Untrusted ? value.enclosed((text) => text) : value))
const imagesOf = (entries: readonly Entry[]): number[] =>
  entries.flatMap((entry) => ('outcomes' in entry ? [entry.outcomes.reduce((sum, { images }) => sum + images.length, 0)] : []))

describe('a conversation that is too long for the model', () => {
  it('is left alone while it fits', () => {
    const entries = [user('do it'), turn('a', 'read'), results('x', 1)]
    expect(fitConversation(entries, 10_000, true)).toEqual(entries)
  })

  it('loses what the device looked like before, at any length', () => {
    const entries = [
      user('do it'),
      results('old', 1, 'observation'),
      turn('a', 'read'),
      results('x'),
      results('new', 1, 'observation'),
    ]
    const fitted = fitConversation(entries, 100_000, true)
    expect(textsOf(fitted)).not.toContain('old')
    expect(fitted).toHaveLength(4)
  })

  it('loses images first, from the oldest on, the newest last', () => {
    const entries = [user('do it'), ...[1, 2, 3].flatMap((n) => [turn(`t${n}`, 'read'), results(`r${n}`, 1)])]
    expect(imagesOf(fitConversation(entries, sizeOf(entries) - 1000, true))).toEqual([0, 1, 1])
    expect(imagesOf(fitConversation(entries, sizeOf(entries) - 3000, true))).toEqual([0, 0, 1])
    expect(textsOf(fitConversation(entries, sizeOf(entries) - 1000, true))).toContain('[image left out]')
  })

  it('then the texts of older results, with their beginnings and ends kept', () => {
    const long = `begin${'x'.repeat(9000)}end`
    const entries = [user('do it'), turn('a', 'read'), results(long), turn('b', 'read'), results(long)]
    const fitted = fitConversation(entries, sizeOf(entries) - 500, true)
    expect(textsOf([fitted[2] as Entry])).toMatch(/begin.*characters left out.*end/)
    expect(fitted[4]).toEqual(entries[4])
  })

  it('then older turns, of which one line each is left; what the user said stays word for word', () => {
    const turns = Array.from({ length: 30 }, (_, n) => [turn(`step ${n}`, 'read'), results('y'.repeat(300))]).flat()
    const entries = [user('the request'), ...turns.slice(0, 10), user('a remark'), ...turns.slice(10)]
    const fitted = fitConversation(entries, 2500, true)
    expect(sizeOf(fitted)).toBeLessThanOrEqual(2500)
    expect(fitted[0]).toEqual(user('the request'))
    expect(fitted).toContainEqual(user('a remark'))
    expect(textsOf(fitted)).toMatch(/"kind":"summary","text":"- step \d+; read/)
    expect(fitted.at(-1)).toMatchObject({ kind: 'results' })
  })

  it('shows no image to a model that takes none', () => {
    expect(imagesOf(fitConversation([user('x'), turn('a', 'read'), results('r', 2)], 100_000, false))).toEqual([0])
  })

  it('always has the results right after the turn that asked for them, and fits if it can be done', () => {
    const exchange = fc.tuple(fc.string({ maxLength: 50 }), fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 0, max: 3 }))
    fc.assert(
      fc.property(fc.array(exchange, { maxLength: 40 }), fc.integer({ min: 1500, max: 60_000 }), (exchanges, max) => {
        const entries = [
          user('do it'),
          ...exchanges.flatMap(([text, length, images]) => [turn(text, 'read'), results('z'.repeat(length), images)]),
        ]
        const fitted = fitConversation(entries, max, true)
        expect(fitConversation(entries, max, true)).toEqual(fitted)
        expect(sizeOf(fitted)).toBeLessThanOrEqual(max)
        for (const [index, entry] of fitted.entries()) {
          if (entry.kind === 'results') expect(fitted[index - 1]?.kind).toBe('turn')
          if (entry.kind === 'turn') expect(fitted[index + 1]?.kind).toBe('results')
        }
      }),
      { numRuns: 60 },
    )
  })
})
