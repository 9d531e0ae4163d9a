import { expect, it, onTestFinished, vi } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { startTestServer } from '../../../test/support/test-server.js'
import { SqliteSessionStore } from '../src/store/sqlite-session-store.js'

const TEN_MINUTES = 10 * 60 * 1000

it('a server that cannot prune, as its disk is full, says so, serves on and tries again', async () => {
  const prune = vi.spyOn(SqliteSessionStore.prototype, 'prune')
  onTestFinished(() => prune.mockRestore())
  prune.mockRejectedValueOnce(new Error('the disk is full'))
  const clock = new ManualClock()
  await using server = await startTestServer({ clock })
  await clock.advance(TEN_MINUTES)
  expect(server.log.lines).toContain('warn Ended sessions could not be pruned: the disk is full')
  expect((await server.api('/api/health')).status).toBe(200)
  await clock.advance(TEN_MINUTES)
  expect(prune).toHaveBeenCalledTimes(2)
})

it('a server prunes many sessions bit by bit', async () => {
  const prune = vi.spyOn(SqliteSessionStore.prototype, 'prune')
  onTestFinished(() => prune.mockRestore())
  prune.mockResolvedValueOnce(200).mockResolvedValueOnce(13)
  const clock = new ManualClock()
  await using server = await startTestServer({ clock })
  await clock.advance(TEN_MINUTES)
  expect(prune).toHaveBeenCalledTimes(1)
  await clock.advance(50)
  expect(prune).toHaveBeenCalledTimes(2)
  await clock.advance(50)
  expect(prune).toHaveBeenCalledTimes(2)
  expect(server.log.lines).toContain('info Pruned 13 ended session(s) from the event log')
})
