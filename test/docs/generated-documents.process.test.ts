import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { generatedPages } from '../../scripts/docs/pages.js'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))

describe('the generated documents', () => {
  let pages: Awaited<ReturnType<typeof generatedPages>>
  beforeAll(async () => {
    pages = await generatedPages()
  })

  it('are what `npm run docs` writes now', () => {
    for (const [path, text] of pages) {
      expect(readFileSync(join(DOCS, path), 'utf8'), `${path} is stale: npm run docs`).toBe(text)
    }
  })

  it('hold no schema of a message that is gone', () => {
    const wanted = [...pages.keys()].filter((path) => path.startsWith('schema/'))
    expect(readdirSync(join(DOCS, 'schema')).sort()).toEqual(wanted.map((path) => path.slice('schema/'.length)).sort())
  })
})
