import { expect, it, vi } from 'vitest'
import { Steps } from '../src/sessions/steps.js'

it('what was decided before a restart is not decided again, and what comes after is recorded', async () => {
  const record = vi.fn(() => Promise.resolve())
  const steps = new Steps([{ name: 'turn', value: 'before' }], record)
  const decide = vi.fn(() => Promise.resolve('now'))
  expect(await steps.take('turn', decide)).toBe('before')
  expect(decide).not.toHaveBeenCalled()
  expect(await steps.take('turn', decide)).toBe('now')
  expect(record.mock.calls).toEqual([['turn', 'now']])
})

it('an agent that comes to another step than before the restart is stopped', async () => {
  const steps = new Steps([{ name: 'turn', value: 'before' }], () => Promise.resolve())
  const decide = vi.fn(() => Promise.resolve('now'))
  await expect(steps.take('look', decide)).rejects.toMatchObject({ code: 'REPLAY_DIVERGED' })
  expect(decide).not.toHaveBeenCalled()
})
