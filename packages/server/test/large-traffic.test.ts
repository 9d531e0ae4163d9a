import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { LargeTraffic } from '../src/connection/large-traffic.js'
import { SERVER_LIMITS } from '../src/limits.js'

const { largeTrafficBurst: burst, largeTrafficRate: rate } = SERVER_LIMITS

describe('large messages from one address', () => {
  it('may come at once up to a limit, and then so fast', async () => {
    const clock = new ManualClock()
    const traffic = new LargeTraffic(clock)
    expect(traffic.spend('a', burst)).toBe(0)
    expect(traffic.spend('a', rate / 2)).toBe(500)
    await clock.advance(500)
    expect(traffic.spend('a', 0)).toBe(0)
    expect(traffic.spend('a', rate)).toBe(1000)
    expect(traffic.spend('b', burst)).toBe(0)
  })

  it('may come at once again after a while', async () => {
    const clock = new ManualClock()
    const traffic = new LargeTraffic(clock)
    traffic.spend('a', burst)
    await clock.advance((burst / rate) * 1000 * 10)
    expect(traffic.spend('b', 1)).toBe(0)
    expect(traffic.spend('a', burst)).toBe(0)
    expect(traffic.spend('a', rate)).toBe(1000)
  })
})
