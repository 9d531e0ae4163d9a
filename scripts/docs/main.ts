// Writes the generated documents: `npm run docs`.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatedPages } from './pages.ts'

const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
rmSync(join(docs, 'schema'), { recursive: true, force: true })
const pages = await generatedPages()
for (const [path, text] of pages) {
  mkdirSync(dirname(join(docs, path)), { recursive: true })
  writeFileSync(join(docs, path), text)
}
console.log(`Wrote ${pages.size} documents into docs/`)
