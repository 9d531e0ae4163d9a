import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { generatedPages } from '../../scripts/docs/pages.js'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))

describe('the generated documents', () => {
  it('are what `npm run docs` writes now', async () => {
    for (const [path, text] of await generatedPages()) {
      expect(readFileSync(join(DOCS, path), 'utf8'), `${path} is stale: npm run docs`).toBe(text)
    }
  })

  it('hold no schema of a message that is gone', async () => {
    const wanted = [...(await generatedPages()).keys()].filter((path) => path.startsWith('schema/'))
    expect(readdirSync(join(DOCS, 'schema')).sort()).toEqual(wanted.map((path) => path.slice('schema/'.length)).sort())
  })
})
