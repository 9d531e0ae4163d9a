import { silentLogger } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { KnownDevices } from '../src/clients/known-devices.js'
import { SERVER_LIMITS } from '../src/limits.js'
import { MemoryFeed } from '../src/store/memory-feed.js'
import { SqliteClientStore } from '../src/store/sqlite-client-store.js'

/** What a device may say at most, nearly. */
const NOTES = 'x'.repeat(60_000)

describe('what devices that left have said of themselves', () => {
  it('is kept up to an amount for all together; the ones that were seen longest ago are forgotten', async () => {
    const clock = new ManualClock()
    const store = new SqliteClientStore(':memory:')
    const known = new KnownDevices({ store, feed: new MemoryFeed(), clock, logger: silentLogger })
    const most = Math.floor(SERVER_LIMITS.deviceInfoInAll / NOTES.length)
    const visit = (clientId: string): void => {
      known.seen({ clientId, platform: 'linux', systemInfo: { notes: NOTES }, features: [] })
      known.left(clientId)
    }
    for (let count = 0; count < most + 50; count += 1) visit(`d${count}`)
    const ids = new Set(known.list().map(({ clientId }) => clientId))
    expect(ids.size).toBeLessThanOrEqual(most)
    expect(ids.size).toBeGreaterThan(most - 10)
    expect([ids.has('d0'), ids.has(`d${most + 49}`)]).toEqual([false, true])
    expect(known.get(`d${most + 49}`)?.systemInfo).toEqual({ notes: NOTES })
    expect(known.list().at(-1)?.systemInfo).toEqual({ notes: NOTES })
    // One that is forgotten makes room, and one that says less does too.
    await known.forget(`d${most + 49}`)
    for (let count = 0; count < 50; count += 1) known.seen({ clientId: 'small', platform: 'linux', systemInfo: {}, features: [] })
    expect(known.list().length).toBe(ids.size)
    known.close()
    await store.close()
  })
})
