import { describe, expect, it } from 'vitest'
import { createLinkedTransports } from '../src/transport/linked.js'

describe('linked transports', () => {
  it('carry text and bytes in order, both ways', async () => {
    const [a, b] = createLinkedTransports()
    const bytes = new Uint8Array([1, 2])
    await Promise.all([a.send('1'), a.send(bytes), a.send('3'), b.send('back')])
    expect([await b.receive(), await b.receive(), await b.receive()]).toEqual(['1', bytes, '3'])
    expect(await a.receive()).toBe('back')
  })

  it('hand a frame to the waiting receiver, after the sender has continued', async () => {
    const [a, b] = createLinkedTransports()
    const events: string[] = []
    const received = b.receive().then((frame) => events.push(`received ${String(frame)}`))
    void a.send('x')
    events.push('sender continues')
    await received
    expect(events).toEqual(['sender continues', 'received x'])
  })

  it.each(['close', 'terminate'] as const)('%s at one end ends both, and settles what waits at both', async (how) => {
    const [a, b] = createLinkedTransports()
    const waiting = Promise.allSettled([a.receive(), b.receive()])
    if (how === 'close') await a.close(1001, 'leaving')
    else a.terminate()
    const info = how === 'close' ? { code: 1001, reason: 'leaving' } : { code: 1006, reason: '' }
    expect(await Promise.all([a.closed, b.closed])).toEqual([info, info])
    expect([a.state, b.state]).toEqual(['disconnected', 'disconnected'])
    for (const outcome of await waiting)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CONNECTION_CLOSED' } })
  })

  it('close once: what comes later changes nothing', async () => {
    const [a, b] = createLinkedTransports()
    await a.close(1001, 'first')
    await b.close(1002, 'second')
    a.terminate()
    await a.close()
    expect(await b.closed).toEqual({ code: 1001, reason: 'first' })
    expect(await a.closed).toEqual({ code: 1001, reason: 'first' })
  })

  it('closed with 1000 unless told otherwise', async () => {
    const [a, b] = createLinkedTransports()
    await a.close()
    expect(await b.closed).toEqual({ code: 1000, reason: '' })
  })

  it('neither end sends or receives after the close [S-255]', async () => {
    const [a, b] = createLinkedTransports()
    await b.close()
    for (const end of [a, b]) {
      await expect(end.send('x')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
      await expect(end.receive()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    }
  })

  it('frames that were sent before the close can still be taken', async () => {
    const [a, b] = createLinkedTransports()
    await a.send('1')
    void a.send('2')
    await a.close()
    expect([await b.receive(), await b.receive()]).toEqual(['1', '2'])
    await expect(b.receive()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  it('a frame that is sent right before the close reaches the one who waits', async () => {
    const [a, b] = createLinkedTransports()
    const received = b.receive()
    void a.send('last words')
    void a.close()
    expect(await received).toBe('last words')
  })
})
