import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordLog } from '@orrery/log'
import { expect, it, onTestFinished } from 'vitest'
import { CommandJournal } from '../src/journal/command-journal.js'

const HOUR = 60 * 60 * 1000

function opened() {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-'))
  const time = { now: Date.UTC(2026, 0, 1) }
  const path = join(folder, 'journal.db')
  const journal = new CommandJournal({ path, server: 'ws://s/ws', now: () => time.now })
  onTestFinished(async () => {
    await journal.close()
    rmSync(folder, { recursive: true })
  })
  const begin = (id: string): Promise<void> => journal.begin({ session_id: 's', response_id: id, status: 'continue' })
  const finish = async (id: string): Promise<void> => {
    await begin(id)
    await journal.finished(id, [])
  }
  return { path, journal, time, begin, finish }
}

/** Closes a journal at the end of the block. */
function closing(journal: CommandJournal): AsyncDisposable & { journal: CommandJournal } {
  return { journal, [Symbol.asyncDispose]: () => journal.close() }
}

it('a journal forgets what was acknowledged two hours ago while it is used, and keeps what was not', async () => {
  const { journal, time, begin, finish } = opened()
  await finish('acknowledged')
  await journal.acknowledged('acknowledged')
  await finish('unacknowledged')
  time.now += 2 * HOUR - 1
  await begin('one')
  expect(journal.past('acknowledged')).toBeDefined()
  time.now += 60_000
  await begin('two')
  expect(journal.past('acknowledged')).toBeUndefined()
  expect(journal.unacknowledged().map((batch) => batch.response_id)).toEqual(['unacknowledged'])
})

it('a journal gives up after a day what is not acknowledged, but not its token', async () => {
  const { journal, time, begin, finish } = opened()
  await journal.keepToken('the token')
  await finish('old')
  time.now += 25 * HOUR
  await begin('new')
  expect(journal.unacknowledged()).toEqual([])
  expect(journal.resumeToken).toBe('the token')
})

it('a journal forgets many batches bit by bit', async () => {
  const { journal, time, begin, finish } = opened()
  const ids = Array.from({ length: 250 }, (_, index) => `batch-${index}`)
  await Promise.all(ids.map(finish))
  await Promise.all(ids.map((id) => journal.acknowledged(id)))
  const left = (): number => ids.filter((id) => journal.past(id) !== undefined).length
  time.now += 3 * HOUR
  await begin('one')
  expect(left()).toBe(50)
  time.now += 100
  await begin('two')
  expect(left()).toBe(0)
})

it('a journal gives a server nothing of another, and keeps the tokens of the last 16 servers', async () => {
  const { path, finish, journal, time } = opened()
  const now = (): number => time.now
  await finish('of s')
  await journal.keepToken('t0')
  await journal.close()
  for (let n = 1; n <= 15; n += 1) {
    await using other = closing(new CommandJournal({ path, server: `ws://other-${n}/ws`, now }))
    expect(other.journal.resumeToken).toBeNull()
    expect(other.journal.unacknowledged()).toEqual([])
    await other.journal.keepToken(`t${n}`)
    await other.journal.keepToken(`t${n}b`)
  }
  {
    await using same = closing(new CommandJournal({ path, server: 'ws://s/ws', now }))
    expect(same.journal.resumeToken).toBe('t0')
    expect(same.journal.unacknowledged()).toHaveLength(1)
  }
  {
    await using one = closing(new CommandJournal({ path, server: 'ws://one-more/ws', now }))
    await one.journal.keepToken('t16')
  }
  await using same = closing(new CommandJournal({ path, server: 'ws://s/ws', now }))
  expect(same.journal.resumeToken).toBeNull()
})

it('a journal of an older device shows its token, which says no server, until it gets a new one', async () => {
  const { path, journal } = opened()
  await journal.close()
  const log = RecordLog.open(path, { labels: ['kind'] })
  await log.append('token-1', 'token', 'old', { labels: { kind: 'token' } })
  await log.close()
  await using later = closing(new CommandJournal({ path, server: 'ws://s/ws' }))
  expect(later.journal.resumeToken).toBe('old')
  await later.journal.keepToken('new')
  expect(later.journal.resumeToken).toBe('new')
})

it('a journal that cannot be written says so, and takes no command', async () => {
  const { journal, begin } = opened()
  await begin('one')
  await journal.close()
  await expect(begin('two')).rejects.toMatchObject({
    code: 'JOURNAL_FAILED',
    message: expect.stringMatching(/^The journal of the device cannot be written, so nothing is run: .*closed/) as string,
  })
})
