import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { openLog, temporaryPath } from './support/temporary.js'

describe('opening', () => {
  it('refuses a file of a newer version, and changes nothing in it', async () => {
    const path = temporaryPath()
    const log = openLog(path)
    await log.append('s', 'n', 1)
    await log.close()
    setVersion(path, 99)
    expect(() => openLog(path)).toThrow(
      expect.objectContaining({
        code: 'TOO_NEW',
        message: `${path} was written by a newer version (its format is 99, known is 1)`,
      }),
    )
    setVersion(path, 1)
    expect(openLog(path).read('s')).toHaveLength(1)
  })

  it('refuses a file that is no log', () => {
    const path = temporaryPath()
    writeFileSync(path, 'not a database '.repeat(1000))
    expect(() => openLog(path)).toThrow(
      expect.objectContaining({ code: 'BROKEN', message: expect.stringContaining(path) as string }),
    )
  })

  it('says so when the path cannot be used', () => {
    const path = temporaryPath()
    mkdirSync(path)
    expect(() => openLog(path)).toThrow(expect.objectContaining({ code: 'BROKEN' }))
    const file = `${path}-file`
    writeFileSync(file, '')
    expect(() => openLog(`${file}/log.db`)).toThrow(expect.objectContaining({ code: 'BROKEN' }))
  })

  it('begins a log in an empty file and leaves its mode alone', async () => {
    const path = temporaryPath()
    writeFileSync(path, '')
    chmodSync(path, 0o640)
    await expect(openLog(path).append('s', 'n', 1)).resolves.toMatchObject({ seq: 1 })
  })
})

function setVersion(path: string, version: number): void {
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA user_version = ${version}`)
  db.close()
}
