import { describe, expect, it } from 'vitest'
import { kill, startAppender } from './support/child.js'
import { openLog, temporaryPath } from './support/temporary.js'

describe('a process that dies', () => {
  it.each(['normal', 'full'])(
    'loses nothing that was recorded, and the file is free at once (durability %s)',
    async (durability) => {
      const path = temporaryPath()
      const appender = startAppender(path, { durability })
      const reported: unknown[] = []
      while (reported.length < 50) reported.push((await appender.reports.next()).value)
      await kill(appender)
      for (let report = await appender.reports.next(); report.done !== true; report = await appender.reports.next()) {
        reported.push(report.value)
      }

      const records = openLog(path).read('s')
      expect(reported).toEqual(reported.map((_, index) => ({ seq: index + 1 })))
      expect(records.length).toBeGreaterThanOrEqual(reported.length)
      expect(records.map(({ data }) => (data as { n: number }).n)).toEqual(records.map((_, index) => index))
    },
  )

  it('keeps the file to itself while it lives', async () => {
    const path = temporaryPath()
    const owner = startAppender(path)
    await owner.reports.next()
    expect(() => openLog(path)).toThrow(
      expect.objectContaining({
        name: 'LogError',
        code: 'IN_USE',
        message: `Another process (pid ${owner.process.pid}) has ${path} open`,
      }),
    )
    const before = (await owner.reports.next()).value
    expect(before).toEqual({ seq: expect.any(Number) as number })
  })
})

describe('one process', () => {
  it('cannot open a file twice, and the first opening still keeps others out', async () => {
    const path = temporaryPath()
    const log = openLog(path)
    expect(() => openLog(path)).toThrow(expect.objectContaining({ code: 'IN_USE' }))
    const other = startAppender(path)
    expect((await other.reports.next()).value).toEqual({ error: 'IN_USE' })
    await expect(log.append('s', 'n', 1)).resolves.toMatchObject({ seq: 1 })
  })

  it('syncs every commit with durability full, also in an existing file', async () => {
    const path = temporaryPath()
    for (const expected of [[1], [1, 2]]) {
      const log = openLog(path, { durability: 'full' })
      await log.append('s', 'n', expected.length)
      expect(log.read('s').map((record) => record.data)).toEqual(expected)
      await log.close()
    }
  })
})
