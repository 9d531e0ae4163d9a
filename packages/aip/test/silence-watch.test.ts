import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { SilenceWatch, backoff, resumeWait } from '../src/index.js'

describe('a silence watch', () => {
  it('counts from the first sign of life, and again from each one, with one timer', async () => {
    const clock = new ManualClock()
    let silent = 0
    const watch = new SilenceWatch(clock, 100, () => (silent += 1))
    await clock.advance(1000)
    expect(clock.pending).toBe(0)
    watch.heard()
    for (let n = 0; n < 5; n += 1) {
      await clock.advance(60)
      watch.heard()
      expect(clock.pending).toBe(1)
    }
    await clock.advance(99)
    expect(silent).toBe(0)
    await clock.advance(1)
    expect(silent).toBe(1)
  })

  it('says so once', async () => {
    const clock = new ManualClock()
    let silent = 0
    const watch = new SilenceWatch(clock, 100, () => (silent += 1))
    watch.heard()
    await clock.advance(100)
    watch.heard()
    await clock.advance(1000)
    expect(silent).toBe(1)
  })

  it('says nothing after it was stopped, whatever is heard then', async () => {
    const clock = new ManualClock()
    const watch = new SilenceWatch(clock, 100, () => expect.unreachable())
    watch.heard()
    watch.stop()
    watch.heard()
    await clock.advance(1000)
    expect(clock.pending).toBe(0)
  })
})

describe('the wait before another attempt', () => {
  it('doubles with each failure up to its longest', () => {
    const waits = [1, 2, 3, 4, 5].map((failures) => backoff(failures, { firstMs: 500, longestMs: 3000 }))
    expect(waits).toEqual([500, 1000, 2000, 3000, 3000])
    expect(backoff(5000, { firstMs: 500, longestMs: 3000 })).toBe(3000)
  })

  it('is between 0.5 and 5 s, and not always the same, with a server that resumes sessions', () => {
    const waits = Array.from({ length: 200 }, () => resumeWait())
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500)
    expect(Math.max(...waits)).toBeLessThanOrEqual(5000)
    expect(new Set(waits).size).toBeGreaterThan(50)
  })
})
