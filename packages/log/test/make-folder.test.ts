import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { RecordLog, makeFolder } from '../src/index.js'

const folders: string[] = []
const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'orrery-'))
  folders.push(path)
  return path
}

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true })
})

describe('making a folder', () => {
  it('makes all that is missing, for this user alone, once and again', () => {
    const path = join(folder(), 'a/b/c')
    makeFolder(path)
    makeFolder(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
  })

  it('reports a file in its place, and one on the way', () => {
    const base = folder()
    writeFileSync(join(base, 'file'), '')
    expect(() => makeFolder(join(base, 'file'))).toThrow(/EEXIST/)
    expect(() => makeFolder(join(base, 'file/x'))).toThrow(/ENOTDIR/)
    symlinkSync('nowhere', join(base, 'link'))
    expect(() => makeFolder(join(base, 'link'))).toThrow(/EEXIST/)
  })

  it.runIf(process.platform === 'linux')('ends where the system has no folders', () => {
    expect(() => makeFolder('/proc/x')).toThrow(/ENOENT/)
    expect(() => makeFolder('/proc/x/y')).toThrow(/ENOENT/)
    expect(() => RecordLog.open('/proc/x/events.db', { labels: [] })).toThrow(/proc/)
  })
})
