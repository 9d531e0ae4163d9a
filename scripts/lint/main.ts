// The checks of `npm run lint` that no linter has: plain English, the order of folders, sizes of files and classes, who writes to
// the terminal, conflict markers.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { conflictFindings } from './conflict-markers.ts'
import { englishFindings } from './english.ts'
import { folderFindings } from './folders.ts'
import { sizeFindings } from './sizes.ts'
import { terminalFindings } from './terminal.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Marks a document that a program writes; its texts are checked where they come from. */
const GENERATED = '<!-- Generated'
// The list of phrases holds them all.
const EXCLUDED = ['**/node_modules/**', '**/dist/**', 'scripts/lint/english-words.ts']
const FILES = ['{packages/*,scripts,bench,eval,examples,test,docs}/**/*.{ts,mjs,md}', 'packages/*/*.md', '*.{md,ts}']

const files = globSync(FILES, { cwd: ROOT, exclude: EXCLUDED })
  .map((path) => ({ path: path.replaceAll('\\', '/'), source: readFileSync(join(ROOT, path), 'utf8') }))
  .filter(({ path, source }) => !path.endsWith('.d.ts') && !source.startsWith(GENERATED))

const findings = [englishFindings, folderFindings, sizeFindings, terminalFindings, conflictFindings].flatMap((find) =>
  find(files),
)
for (const { path, line, column, text } of findings) console.error(`${path}:${line}:${column}: ${text}`)
process.exitCode = findings.length > 0 ? 1 : 0
