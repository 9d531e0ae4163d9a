import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { CommitQueue } from '../src/commit-queue.js'
import { LogError } from '../src/log-error.js'
import { sharedSync } from '../src/shared-sync.js'

function counting(): { write: (items: readonly string[]) => number[]; groups: string[][] } {
  const groups: string[][] = []
  let seq = 0
  return {
    groups,
    write(items) {
      groups.push([...items])
      return items.map(() => (seq += 1))
    },
  }
}

describe('CommitQueue', () => {
  it('commits what was added in one turn of the event loop together', async () => {
    const { write, groups } = counting()
    const queue = new CommitQueue({ write })
    expect(await Promise.all([queue.add('a'), Promise.resolve().then(() => queue.add('b'))])).toEqual([1, 2])
    expect(await queue.add('c')).toBe(3)
    expect(groups).toEqual([['a', 'b'], ['c']])
  })

  it('rejects exactly the group that could not be committed', async () => {
    const { write } = counting()
    const full = new LogError('FULL', 'no room')
    const failing = vi.fn(write).mockImplementationOnce(() => {
      throw full
    })
    const queue = new CommitQueue({ write: failing })
    const first = await Promise.allSettled([queue.add('a'), queue.add('b')])
    expect(first).toEqual([
      { status: 'rejected', reason: full },
      { status: 'rejected', reason: full },
    ])
    await expect(queue.add('c')).resolves.toBe(1)
  })

  it('settles an item only after its sync', async () => {
    const { write, groups } = counting()
    const { promise, resolve } = Promise.withResolvers<void>()
    const queue = new CommitQueue({ write, sync: () => promise })
    const settled = vi.fn()
    const added = queue.add('a').then(settled)
    await setImmediate()
    expect(groups).toEqual([['a']])
    expect(settled).not.toHaveBeenCalled()
    resolve()
    await added
    expect(settled).toHaveBeenCalledWith(1)
  })

  it('takes nothing more once a sync has failed, because what is on the disk is unknown', async () => {
    const { write, groups } = counting()
    const queue = new CommitQueue({ write, sync: () => Promise.reject(new Error('EIO')) })
    await expect(queue.add('a')).rejects.toMatchObject({ code: 'BROKEN', cause: new Error('EIO') })
    await expect(queue.add('b')).rejects.toMatchObject({ code: 'BROKEN' })
    await queue.drain()
    expect(groups).toEqual([['a']])
  })

  it('drains only when all that was added has settled', async () => {
    const { write } = counting()
    const { promise, resolve } = Promise.withResolvers<void>()
    const queue = new CommitQueue({ write, sync: () => promise })
    const drained = vi.fn()
    const added = queue.add('a')
    const draining = queue.drain().then(drained)
    await setImmediate()
    expect(drained).not.toHaveBeenCalled()
    resolve()
    await draining
    await expect(added).resolves.toBe(1)
  })
})

describe('sharedSync', () => {
  it('runs one sync for all calls that come while another runs, and never counts one that began before the call', async () => {
    const runs: PromiseWithResolvers<void>[] = []
    const sync = sharedSync(() => {
      const run = Promise.withResolvers<void>()
      runs.push(run)
      return run.promise
    })
    const first = sync()
    await setImmediate()
    let done = 0
    const later = [sync(), sync()].map((call) => call.then(() => (done += 1)))
    await setImmediate()
    expect(runs).toHaveLength(1)
    runs[0]?.resolve()
    await first
    await setImmediate()
    expect(done).toBe(0)
    expect(runs).toHaveLength(2)
    runs[1]?.resolve()
    await Promise.all(later)
    expect(done).toBe(2)
    expect(runs).toHaveLength(2)
  })

  it('fails those who waited for a failed sync, not the next', async () => {
    const sync = sharedSync(vi.fn<() => Promise<void>>().mockRejectedValueOnce(new Error('EIO')).mockResolvedValue())
    await expect(sync()).rejects.toThrow('EIO')
    await expect(sync()).resolves.toBeUndefined()
  })

  it('with a pause, commits the first item at once and gathers those that follow', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const groups: (readonly number[])[] = []
    const queue = new CommitQueue({ write: (items: readonly number[]) => (groups.push(items), [...items]) }, 10)
    const first = queue.add(1)
    await vi.advanceTimersByTimeAsync(0)
    expect(await first).toBe(1)
    const second = queue.add(2)
    await vi.advanceTimersByTimeAsync(5)
    const third = queue.add(3)
    expect(groups).toEqual([[1]])
    await vi.advanceTimersByTimeAsync(5)
    expect(await Promise.all([second, third])).toEqual([2, 3])
    expect(groups).toEqual([[1], [2, 3]])
    await vi.advanceTimersByTimeAsync(10)
    void queue.add(4)
    await vi.advanceTimersByTimeAsync(0)
    expect(groups).toHaveLength(3)
  })
})
