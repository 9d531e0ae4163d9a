import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { namesIn } from '../conformance/coverage.ts'

const ROOT = new URL('../../', import.meta.url)
const PAGE = readFileSync(new URL('docs/security.md', ROOT), 'utf8')

/** The rows of the tables whose last column names a test: what is protected, and the test. */
const ROWS = PAGE.split('\n')
  .filter((line) => /^\| .*\| `[^`]+\.test\.ts`: /.test(line))
  .map((line) => line.replace(/^\| | \|$/g, '').split(' | '))

describe('each line of docs/security.md', () => {
  it('has a test, except those about trust', () => {
    const tables = PAGE.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| protected'))
    const trust = PAGE.slice(0, PAGE.indexOf('## The machine of a device')).split('\n')
    expect(tables.filter((line) => !trust.includes(line))).toHaveLength(ROWS.length)
  })

  it.each(ROWS.map((row) => [row.slice(0, 2).join(' from '), row.at(-1) ?? '']))('%s', (_what, test) => {
    const [, path = '', name = ''] = /^`([^`]+)`: (.+)$/.exec(test) ?? []
    expect(namesIn(readFileSync(new URL(path, ROOT), 'utf8'))).toContain(name)
  })
})
