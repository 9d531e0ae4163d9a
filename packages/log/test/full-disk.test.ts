import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { LogError, type RecordLog } from '../src/index.js'
import { startAppender } from './support/child.js'
import { openLog, temporaryPath } from './support/temporary.js'

const filler = 'x'.repeat(10_000)
// Linux has this command, other systems skip what needs it.
const raiseLimits = 'prlimit'
const canRaiseLimits = spawnSync(raiseLimits, ['--version']).status === 0

/** Appends until there is no room, each to a closed stream of its own. */
async function fill(log: RecordLog): Promise<number> {
  for (let n = 0; ; n += 1) {
    try {
      await log.append(`fill-${n}`, 'n', { n, filler }, { open: false })
    } catch (error) {
      expect(error).toMatchObject({ name: 'LogError', code: 'FULL', message: expect.stringContaining('No room left') as string })
      return n
    }
  }
}

describe('a full disk', () => {
  it('rejects the appends of its turn and leaves everything recorded before intact', async () => {
    const path = temporaryPath()
    const log = openLog(path, { maxFileBytes: 500_000 })
    const count = await fill(log)
    const group = await Promise.allSettled([
      log.append('small', 'n', 1),
      log.append('large', 'n', { filler: filler.repeat(100) }),
      log.append('small', 'n', 2),
    ])
    expect(group.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(new Set(group.map((result) => (result as PromiseRejectedResult).reason))).toEqual(new Set([expect.any(LogError)]))
    await log.close()

    const again = openLog(path)
    expect(again.streams().map((info) => info.stream)).toEqual(Array.from({ length: count }, (_, n) => `fill-${n}`))
    expect(again.read(`fill-${count - 1}`)).toEqual([expect.objectContaining({ seq: count, data: { n: count - 1, filler } })])
  })

  it('takes appends again once there is room, with seqs that continue', async () => {
    const log = openLog(temporaryPath(), { maxFileBytes: 500_000 })
    const count = await fill(log)
    expect(log.prune({ maxBytes: 250_000 })).toBeGreaterThan(0)
    await expect(log.append('s', 'n', { filler })).resolves.toMatchObject({ seq: count + 1 })
  })

  it('takes what fits even after something did not', async () => {
    const log = openLog(temporaryPath(), { maxFileBytes: 500_000 })
    await expect(log.append('s', 'n', { filler: filler.repeat(100) })).rejects.toMatchObject({ code: 'FULL' })
    expect(log.stream('s')).toBeUndefined()
    await expect(log.append('s', 'n', 1)).resolves.toMatchObject({ seq: 1 })
  })

  it.skipIf(!canRaiseLimits)('that the system reports in the middle of a write is survived in the same way', async () => {
    const path = temporaryPath()
    const appender = startAppender(path, { fileBlocks: 600 })
    let recorded = 0
    let report = await appender.reports.next()
    for (; 'seq' in (report.value as object); report = await appender.reports.next()) recorded += 1
    // The system says "file too large" rather than "no space left", so the code is another one.
    expect(report.value).toEqual({ error: 'BROKEN' })
    expect(recorded).toBeGreaterThan(5)

    spawnSync(raiseLimits, ['--pid', String(appender.process.pid), '--fsize=unlimited:unlimited'])
    appender.process.stdin?.write('room\n')
    expect((await appender.reports.next()).value).toEqual({ seq: recorded + 1 })
  })
})
