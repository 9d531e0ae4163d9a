import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { CommandJournal } from '../src/journal/command-journal.js'

const HOUR = 60 * 60 * 1000

function opened() {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-'))
  const time = { now: Date.UTC(2026, 0, 1) }
  const journal = new CommandJournal(join(folder, 'journal.db'), () => time.now)
  onTestFinished(async () => {
    await journal.close()
    rmSync(folder, { recursive: true })
  })
  const begin = (id: string): Promise<void> => journal.begin({ session_id: 's', response_id: id, status: 'continue' })
  const finish = async (id: string): Promise<void> => {
    await begin(id)
    await journal.finished(id, [])
  }
  return { journal, time, begin, finish }
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

it('a journal gives up after a day what nobody acknowledges, but not its token', async () => {
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
