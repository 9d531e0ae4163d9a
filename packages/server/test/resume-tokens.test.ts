import { createHash } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordLog } from '@orrery/log'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ResumeTokens } from '../src/clients/resume-tokens.js'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { SqliteClientStore } from '../src/store/sqlite-client-store.js'

const D1 = { clientId: 'd1', clientType: 'device' } as const

interface Rig {
  tokens: ResumeTokens
  clock: ManualClock
  /** Issues a token that is written to its client. */
  issue: (shown: string | null) => Promise<string>
  matches: (...shown: string[]) => Promise<boolean[]>
}

function newTokens(): Rig {
  const clock = new ManualClock()
  const store = new SqliteClientStore(':memory:')
  onTestFinished(() => store.close())
  const tokens = new ResumeTokens(store, clock)
  return {
    tokens,
    clock,
    async issue(shown) {
      const { token, written } = await tokens.issue(D1, shown)
      await written()
      return token
    },
    matches: (...shown) => Promise.all(shown.map(async (token) => (await tokens.check(D1, token)).matches)),
  }
}

describe('tokens', () => {
  it('are good until a newer one is shown', async () => {
    const { tokens, issue, matches } = newTokens()
    expect(await tokens.check(D1, null)).toEqual({ known: false, matches: false, since: 0 })
    const first = await issue(null)
    const second = await issue(first)
    // Many confirmations may be lost.
    for (let lost = 0; lost < 30; lost += 1) await issue(first)
    expect(await matches(first, second)).toEqual([true, false])
    expect(await tokens.check(D1, null)).toEqual({ known: true, matches: false, since: 0 })
  })

  it('are good even if an old connection registers after a new one', async () => {
    const { issue, matches } = newTokens()
    const first = await issue(null)
    const second = await issue(first)
    // The delayed registration of a connection that the device has given up.
    const third = await issue(first)
    expect(await matches(first, second, third)).toEqual([true, true, true])
    await issue(second)
    expect(await matches(first, second, third)).toEqual([false, true, true])
    await issue('wrong')
    expect(await matches(second, third)).toEqual([false, false])
  })

  it('do not count before the first one is written to its socket: the client cannot have it', async () => {
    const { tokens, matches } = newTokens()
    const { token, written } = await tokens.issue(D1, null)
    expect(await tokens.check(D1, null)).toMatchObject({ known: false })
    await written()
    expect(await tokens.check(D1, null)).toMatchObject({ known: true })
    expect(await matches(token)).toEqual([true])
  })

  it('tell since when their holder has them: one that shows none of them is another', async () => {
    const { tokens, clock, issue } = newTokens()
    const first = await issue(null)
    await issue(first)
    expect(await tokens.check(D1, first)).toMatchObject({ since: 0 })
    await clock.advance(1000)
    await issue(null)
    expect(await tokens.check(D1, null)).toMatchObject({ since: clock.now() })
  })

  it('are gone with their device, and its id is free', async () => {
    const { tokens, issue, matches } = newTokens()
    const token = await issue(null)
    expect(await tokens.forget('d1')).toBe(true)
    expect(await matches(token)).toEqual([false])
    expect(await tokens.check(D1, null)).toMatchObject({ known: false })
    expect(await tokens.forget('d1')).toBe(false)
  })

  it('of a file that was a log of records stay good', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'orrery-tokens-')), 'clients.db')
    const old = RecordLog.open(path, { labels: ['client_id'] })
    const hash = (token: string): string => createHash('sha256').update(token).digest('hex')
    await old.append('a', 'token', hash('replaced'), { labels: { client_id: 'd1' } })
    await old.append('a', 'replaced', null, { open: false })
    await old.append('b', 'token', hash('good'), { labels: { client_id: 'd1' } })
    await old.append('c', 'token', hash('newer'), { labels: { client_id: 'd1' } })
    await old.append('d', 'token', hash('other'), { labels: { client_id: 'd2' } })
    await old.close()
    const store = new SqliteClientStore(path)
    onTestFinished(() => store.close())
    expect(await store.tokens(D1)).toEqual({ hashes: [hash('good'), hash('newer')], since: 0 })
    expect(await store.tokens({ ...D1, clientId: 'd2' })).toEqual({ hashes: [hash('other')], since: 0 })
  })
})
