import { expect, it, vi } from 'vitest'
import { Steps } from '../src/sessions/steps.js'

it('what was decided before a restart is not decided again, and what comes after is recorded', async () => {
  const record = vi.fn(() => Promise.resolve())
  const steps = new Steps({ record }, [{ name: 'turn', value: 'before' }])
  const decide = vi.fn(() => Promise.resolve('now'))
  expect(await steps.take('turn', decide)).toBe('before')
  expect(decide).not.toHaveBeenCalled()
  expect(await steps.take('turn', decide)).toBe('now')
  expect(record.mock.calls).toEqual([['agent_step', { name: 'turn', value: 'now' }]])
})

it('an agent that comes to another step than before the restart is stopped', async () => {
  const steps = new Steps({ record: () => Promise.resolve() }, [{ name: 'turn', value: 'before' }])
  const decide = vi.fn(() => Promise.resolve('now'))
  await expect(steps.take('look', decide)).rejects.toMatchObject({ code: 'REPLAY_DIVERGED' })
  expect(decide).not.toHaveBeenCalled()
})
