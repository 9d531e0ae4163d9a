import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../src/limits.js'
import { Inbox } from '../src/transport/inbox.js'

const MIB = 1024 * 1024

/** Node gives out its collector to a context that is made after the flag is set. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  gc()
}

function makeInbox(maxFrames?: number, maxBytes?: number) {
  const pauses: boolean[] = []
  return { inbox: new Inbox((paused) => pauses.push(paused), maxFrames, maxBytes), pauses }
}

describe('the inbox', () => {
  it('hands out frames in order, to a waiting receiver and to a later one', async () => {
    const { inbox } = makeInbox()
    const first = inbox.take()
    inbox.put('a')
    inbox.put('b')
    inbox.put('')
    inbox.put(new Uint8Array(0))
    expect(await first).toBe('a')
    expect(await inbox.take()).toBe('b')
    expect(await inbox.take()).toBe('')
    expect(await inbox.take()).toEqual(new Uint8Array(0))
  })

  it('delivers frames as they come, after those that waited, in order, also when handing one out brings another', () => {
    const { inbox, pauses } = makeInbox(3)
    for (const frame of ['a', 'b', 'c']) inbox.put(frame)
    expect(pauses).toEqual([true])
    const delivered: unknown[] = []
    inbox.deliverTo((frame) => {
      if (frame === 'a') inbox.put('d')
      delivered.push(frame)
      if (frame === 'e') inbox.put('f')
    })
    inbox.put('e')
    expect(delivered).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    expect(pauses.at(-1)).toBe(false)
  })

  it('pauses its source at 256 frames and lets it continue below', async () => {
    const { inbox, pauses } = makeInbox()
    for (let frame = 1; frame < LIMITS.waitingFrames; frame += 1) inbox.put('x')
    expect(pauses).toEqual([])
    inbox.put('x')
    inbox.put('x')
    expect(pauses).toEqual([true])
    await inbox.take()
    expect(pauses).toEqual([true])
    await inbox.take()
    expect(pauses).toEqual([true, false])
  })

  it('pauses its source at 16 MiB and lets it continue below', async () => {
    expect(LIMITS.waitingData).toBe(16 * MIB)
    const { inbox, pauses } = makeInbox()
    const chunk = new Uint8Array(MIB)
    for (let frame = 1; frame < 16; frame += 1) inbox.put(chunk)
    expect(pauses).toEqual([])
    inbox.put(chunk)
    expect(pauses).toEqual([true])
    await inbox.take()
    expect(pauses).toEqual([true, false])
  })

  it('continues only when it is below both bounds', async () => {
    const { inbox, pauses } = makeInbox(3, 10)
    inbox.put('1234567890')
    inbox.put('')
    inbox.put('')
    inbox.put('')
    expect(pauses).toEqual([true])
    await inbox.take()
    expect(pauses).toEqual([true])
    await inbox.take()
    expect(pauses).toEqual([true, false])
  })

  it('takes a frame that alone is above the bound, and continues after it', async () => {
    const { inbox, pauses } = makeInbox(3, 10)
    inbox.put('x'.repeat(50))
    expect(pauses).toEqual([true])
    expect(await inbox.take()).toHaveLength(50)
    expect(pauses).toEqual([true, false])
  })

  it('never pauses for frames that a receiver waits for', async () => {
    const { inbox, pauses } = makeInbox(1, 1)
    const taken = inbox.take()
    inbox.put('xx')
    expect(await taken).toBe('xx')
    expect(pauses).toEqual([])
  })

  it('keeps the order, and forgets what was taken, under a receiver that never catches up', async () => {
    const { inbox } = makeInbox()
    let taken: WeakRef<Uint8Array> | undefined
    inbox.put('head')
    for (let frame = 0; frame < 5000; frame += 1) {
      const data = new Uint8Array([frame % 256, frame >> 8])
      if (frame === 4500) taken = new WeakRef(data)
      inbox.put(data)
      if (frame === 0) expect(await inbox.take()).toBe('head')
      else expect(await inbox.take()).toEqual(new Uint8Array([(frame - 1) % 256, (frame - 1) >> 8]))
    }
    // A collection needs a turn of the event loop: until then a WeakRef that was read keeps its target.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    expect(taken?.deref()).toBe(undefined)
  })

  it('after its end gives what came before, then CONNECTION_CLOSED', async () => {
    const { inbox } = makeInbox()
    inbox.put('a')
    inbox.end()
    expect(await inbox.take()).toBe('a')
    await expect(inbox.take()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    await expect(inbox.take()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  it('its end settles a waiting receiver', async () => {
    const { inbox } = makeInbox()
    const waiting = inbox.take()
    inbox.end()
    await expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })
})
