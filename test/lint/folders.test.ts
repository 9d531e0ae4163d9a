import { describe, expect, it } from 'vitest'
import type { FolderOrder, KnownImport } from '../../scripts/lint/folder-order.ts'
import { folderFindings } from '../../scripts/lint/folders.ts'

const SRC = 'packages/x/src'

/** What is found in a package with the layers `top`, `left right`, `low`, as `file: text`. */
function found(
  files: Readonly<Record<string, string>>,
  known: readonly KnownImport[] = [],
  orders?: readonly FolderOrder[],
): string[] {
  const order = { src: SRC, layers: ['top', 'left right', 'low'], known }
  const sources = Object.entries(files).map(([path, source]) => ({ path: `${SRC}/${path}`, source }))
  return folderFindings(sources, orders ?? [order]).map(({ path, text }) => `${path.replace(`${SRC}/`, '')}: ${text}`)
}

describe('the check of folders', () => {
  it('accepts imports that go down, and those inside a folder', () => {
    expect(
      found({
        'top.ts': `import { a } from './left/a.js'`,
        'left/a.ts': `import { b } from './b.js'\nexport { c } from '../low/c.js'\nimport 'node:fs'`,
        'left/b.ts': '',
        'low/c.ts': '',
      }),
    ).toEqual([])
  })

  it.each([
    ['a value', `import { a } from '../top.js'`],
    ['a type', `import type { A } from '../top.js'`],
    ['a type in place', `let a: import('../top.js').A`],
    ['an import at run time', `const a = await import('../top.js')`],
    ['what is exported again', `export * from '../top.js'`],
  ])('refuses an import that goes up: %s', (_, source) => {
    expect(found({ 'low/a.ts': source })).toEqual([`low/a.ts: imports top.ts, which is not below 'low'`])
  })

  it('refuses an import between folders of one layer, and a folder that is in none', () => {
    expect(found({ 'left/a.ts': `import '../right/b.js'` })).toEqual([`left/a.ts: imports right/b.ts, which is not below 'left'`])
    expect(found({ 'top.ts': `import './new/a.js'` })).toContain(`scripts/lint/folder-order.ts: 'new' of ${SRC} is in no layer`)
  })

  it('accepts an exception, and refuses one that is no longer needed', () => {
    const known = [{ from: 'low/a.ts', to: 'top.ts' }]
    expect(found({ 'low/a.ts': `import '../top.js'` }, known)).toEqual([])
    expect(found({ 'low/a.ts': '' }, known)).toEqual([
      'scripts/lint/folder-order.ts: low/a.ts no longer imports top.ts against the order: remove it',
    ])
  })

  it('refuses cycles of files and of folders, of types too', () => {
    const cycle = { 'a.ts': `import type { B } from './b.js'`, 'b.ts': `import type { A } from './a.js'` }
    expect(found(cycle, [], [])).toEqual([`b.ts: closes a cycle: ${SRC}/a.ts → ${SRC}/b.ts → ${SRC}/a.ts`])
    const folders = { 'a/1.ts': `import '../b/1.js'`, 'b/1.ts': '', 'b/2.ts': `import '../a/2.js'`, 'a/2.ts': '' }
    expect(found(folders, [], [])).toEqual([`b: closes a cycle: ${SRC}/a → ${SRC}/b → ${SRC}/a`])
  })
})
