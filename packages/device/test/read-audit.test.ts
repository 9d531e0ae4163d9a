import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { AuditLog, readAudit, type AuditEntry } from '../src/index.js'
import { temporaryFolders } from './support/temporary.js'

const folder = temporaryFolders()

const entry = (tool: string): AuditEntry => ({
  time: '2026-01-01T00:00:00.000Z',
  session_id: null,
  call_id: null,
  agent: null,
  tool,
  arguments_hash: '',
  decision: 'allow',
  rule: 'r',
  by: 'policy',
  outcome: 'success',
  error: null,
  duration_ms: 1,
})

describe('reading an audit', () => {
  it('gives the entries of all files, oldest first', async () => {
    const path = join(folder(), 'audit.jsonl')
    const log = new AuditLog({ path, maxBytes: 1, keep: 12, logger: silentLogger })
    const tools = Array.from({ length: 12 }, (_, n) => `tool${n}`)
    for (const tool of tools) {
      log.add(entry(tool))
      await log.close()
    }
    expect((await readAudit(path)).map(({ tool }) => tool)).toEqual(tools)
  })

  it('ignores a line that is half written, and files of others', async () => {
    const path = join(folder(), 'audit.jsonl')
    writeFileSync(path, `${JSON.stringify(entry('whole'))}\n{"time":"2026`)
    appendFileSync(`${path}.bak`, `${JSON.stringify(entry('foreign'))}\n`)
    expect((await readAudit(path)).map(({ tool }) => tool)).toEqual(['whole'])
  })

  it('gives nothing where there is no audit', async () => {
    expect(await readAudit(join(folder(), 'none', 'audit.jsonl'))).toEqual([])
  })
})
