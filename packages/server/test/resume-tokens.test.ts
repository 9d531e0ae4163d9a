import { createHash } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordLog } from '@orrery/log'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ResumeTokens } from '../src/clients/resume-tokens.js'
import { SqliteClientStore } from '../src/store/sqlite-client-store.js'

function newTokens(): { tokens: ResumeTokens; matches: (...shown: string[]) => Promise<boolean[]> } {
  const store = new SqliteClientStore(':memory:')
  onTestFinished(() => store.close())
  const tokens = new ResumeTokens(store)
  return {
    tokens,
    matches: (...shown) => Promise.all(shown.map(async (token) => (await tokens.check('d1', token)).matches)),
  }
}

describe('tokens', () => {
  it('are good until a newer one is shown', async () => {
    const { tokens, matches } = newTokens()
    expect(await tokens.check('d1', null)).toEqual({ known: false, matches: false })
    const first = await tokens.issue('d1', null)
    const second = await tokens.issue('d1', first)
    // Many confirmations may be lost.
    for (let lost = 0; lost < 30; lost += 1) await tokens.issue('d1', first)
    expect(await matches(first, second)).toEqual([true, false])
    expect(await tokens.check('d1', null)).toEqual({ known: true, matches: false })
  })

  it('are good even if an old connection registers after a new one', async () => {
    const { tokens, matches } = newTokens()
    const first = await tokens.issue('d1', null)
    const second = await tokens.issue('d1', first)
    // The delayed registration of a connection that the device has given up.
    const third = await tokens.issue('d1', first)
    expect(await matches(first, second, third)).toEqual([true, true, true])
    await tokens.issue('d1', second)
    expect(await matches(first, second, third)).toEqual([false, true, true])
    await tokens.issue('d1', 'wrong')
    expect(await matches(second, third)).toEqual([false, false])
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
    expect(await store.tokens('d1')).toEqual([hash('good'), hash('newer')])
    expect(await store.tokens('d2')).toEqual([hash('other')])
  })
})
