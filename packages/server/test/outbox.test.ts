import { silentLogger } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { Outbox } from '../src/sessions/outbox.js'

function recorded() {
  const sent: string[] = []
  const pending = new Map<string, PromiseWithResolvers<void>>()
  const letter = (name: string) => () => {
    sent.push(name)
    const left = Promise.withResolvers<void>()
    pending.set(name, left)
    return left.promise
  }
  return { sent, pending, letter }
}

describe('an outbox', () => {
  it('sends the first letter in the same turn, and fetches the next when it has left', async () => {
    const { sent, pending, letter } = recorded()
    const outbox = new Outbox(silentLogger)
    outbox.add(letter('a'))
    outbox.add(letter('b'))
    expect(sent).toEqual(['a'])
    expect(outbox.isEmpty).toBe(false)
    pending.get('a')?.resolve()
    await Promise.resolve()
    await Promise.resolve()
    expect(sent).toEqual(['a', 'b'])
  })

  it('continues after a letter that cannot be sent', async () => {
    const { sent, letter } = recorded()
    const outbox = new Outbox(silentLogger)
    outbox.add(() => Promise.reject(new Error('gone')))
    outbox.add(letter('b'))
    await new Promise(setImmediate)
    expect(sent).toEqual(['b'])
  })

  it('drops what waits when its client has gone', async () => {
    const { sent, pending, letter } = recorded()
    const outbox = new Outbox(silentLogger)
    outbox.add(letter('a'))
    outbox.add(letter('b'))
    outbox.clear()
    pending.get('a')?.resolve()
    await new Promise(setImmediate)
    expect(sent).toEqual(['a'])
    expect(outbox.isEmpty).toBe(true)
  })
})
