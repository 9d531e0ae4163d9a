import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { RecordLog, type RecordLogOptions } from '../../src/index.js'

/** A path for a log in a folder that goes with the test. */
export function temporaryPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-log-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'log.db')
}

/** A log that is closed with the test. */
export function openLog(path = ':memory:', options: Partial<RecordLogOptions> = {}): RecordLog {
  const log = RecordLog.open(path, { labels: [], ...options })
  onTestFinished(() => log.close())
  return log
}
