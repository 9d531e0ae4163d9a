import { describe, expect, it } from 'vitest'
import type { ClientStore, KnownDevice } from '../../src/store/client-store.js'

/** A store under test, empty. */
export interface ClientStoreUnderTest extends AsyncDisposable {
  store: ClientStore
  /** Closes the store and opens what it kept, as the next process does. */
  reopen(): Promise<ClientStore>
}

const D1: KnownDevice = {
  clientId: 'd1',
  platform: 'linux',
  systemInfo: { hostname: 'lab', custom_metadata: { tags: ['gpu'] } },
  features: ['journal', 'resume'],
  firstSeenAt: 1,
  lastSeenAt: 2,
}

const DEVICE = { clientId: 'd1', clientType: 'device' } as const
const HELD = { hashes: ['a', 'b'], since: 7 }

const TOOL = {
  tool_key: 'action::echo',
  tool_name: 'echo',
  title: null,
  namespace: 'Test',
  tool_type: 'action',
  description: 'Echoes',
  input_schema: { type: 'object' },
  output_schema: null,
  meta: null,
  annotations: { readOnlyHint: true },
  trusted: true,
} as const

/** What every adapter of the port promises. */
export function clientStorePromises(open: () => Promise<ClientStoreUnderTest>): void {
  describe('what is known', () => {
    it('can be read at once, and after the process', async () => {
      await using under = await open()
      const saved = [
        under.store.saveDevice(D1),
        under.store.saveTools('d1', { tools: [TOOL], listedAt: 5 }),
        under.store.saveTokens(DEVICE, HELD),
      ]
      expect(await under.store.tokens(DEVICE)).toEqual(HELD)
      expect(await under.store.tools('d1')).toEqual({ tools: [TOOL], listedAt: 5 })
      await Promise.all(saved)
      const store = await under.reopen()
      expect(await store.devices()).toEqual([D1])
      expect(await store.tools('d1')).toEqual({ tools: [TOOL], listedAt: 5 })
      expect(await store.tokens(DEVICE)).toEqual(HELD)
    })

    it('is replaced by what is newer', async () => {
      await using under = await open()
      await under.store.saveDevice(D1)
      await under.store.saveDevice({ ...D1, platform: 'windows' })
      await under.store.saveTokens(DEVICE, HELD)
      await under.store.saveTokens(DEVICE, { hashes: ['c'], since: 8 })
      expect(await under.store.devices()).toEqual([{ ...D1, platform: 'windows' }])
      expect(await under.store.tokens(DEVICE)).toEqual({ hashes: ['c'], since: 8 })
    })

    it('is nothing of a client that was never seen', async () => {
      await using under = await open()
      expect(await under.store.devices()).toEqual([])
      expect(await under.store.tools('d1')).toBeNull()
      expect(await under.store.tokens(DEVICE)).toBeNull()
    })
  })

  it('forgets a device with its tools, and keeps its tokens until they are deleted: its id is not free for another', async () => {
    await using under = await open()
    await under.store.saveDevice(D1)
    await under.store.saveTools('d1', { tools: [TOOL], listedAt: 5 })
    await under.store.saveTokens(DEVICE, HELD)
    await under.store.forgetDevice('d1')
    expect(await under.store.devices()).toEqual([])
    expect(await under.store.tools('d1')).toBeNull()
    expect(await under.store.tokens(DEVICE)).toEqual(HELD)
    await under.store.deleteTokens(DEVICE)
    expect(await under.store.tokens(DEVICE)).toBeNull()
  })

  it('keeps the tokens of a device and of a constellation with the same id apart', async () => {
    await using under = await open()
    await under.store.saveTokens(DEVICE, HELD)
    expect(await under.store.tokens({ ...DEVICE, clientType: 'constellation' })).toBeNull()
  })

  it('says that it cannot do what it is asked when it is closed', async () => {
    await using under = await open()
    await under.store.close()
    await expect(under.store.tokens(DEVICE)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await expect(under.store.saveDevice(D1)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })
}
