import { systemClock } from '@orrery/aip'
import { describe, expect, it, vi } from 'vitest'
import { ProcessGroup } from '../src/process/process-group.js'
import { lives } from './support/config.js'

describe.runIf(process.platform !== 'win32')('a process group', () => {
  it('is not signalled once it has ended, when its number may belong to others', async () => {
    const group = new ProcessGroup('true', [], { stdio: 'ignore' }, systemClock)
    expect(await group.ended).toEqual({ code: 0, signal: null })
    const kill = vi.spyOn(process, 'kill')
    try {
      group.kill('SIGTERM')
      await group.end()
      expect(kill).not.toHaveBeenCalled()
    } finally {
      kill.mockRestore()
    }
  })

  it('ends on request, and reports by which signal', async () => {
    const group = new ProcessGroup('sleep', ['600'], { stdio: 'ignore' }, systemClock)
    await group.started
    await group.end()
    expect(await group.ended).toEqual({ code: null, signal: 'SIGTERM' })
    expect(lives(group.child.pid!)).toBe(false)
  })

  it('ends with nothing when its program cannot be started', async () => {
    const group = new ProcessGroup('/no/such/program', [], { stdio: 'ignore' }, systemClock)
    await expect(group.started).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await group.ended).toEqual({ code: null, signal: null })
    await group.end()
  })
})
