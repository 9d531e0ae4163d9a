import { PHRASES, QUOTED, type Quoted } from './english-words.ts'
import { textsIn } from './texts-in.ts'
import type { Finding, SourceFile } from './finding.ts'

const PATTERNS = PHRASES.map(({ find, write }) => ({
  pattern: new RegExp(`\\b(?:${find.replaceAll(' ', '\\s+')})(?!\\w)`, 'gi'),
  write,
}))
/** A doc comment that says what a function returns, without a verb. */
const WHETHER =
  /\/\*\*\s+(?:\*\s+)?(Whether)\b(?:(?!\*\/)[\s\S])*\*\/\s*(?:export |declare |static |private |async )*(?:function\b|#?\w+(?:<[^>(]*>)?\()/g

/**
 * Finds phrases that read as a translation in comments, strings and documents. An exception that no text needs is a finding too.
 */
export function englishFindings(files: readonly SourceFile[], quoted: readonly Quoted[] = QUOTED): Finding[] {
  const findings = files.flatMap((file) => findingsIn(file, quoted))
  const unused = quoted.filter(({ text }) => !files.some(({ source }) => source.includes(text)))
  const stale = (text: string): Finding => ({ path: 'scripts/lint/english-words.ts', line: 1, column: 1, text })
  return [...findings, ...unused.map(({ text }) => stale(`'${text}' no longer occurs: remove it from QUOTED`))]
}

function findingsIn({ path, source }: SourceFile, quoted: readonly Quoted[]): Finding[] {
  const found: Finding[] = []
  const add = (offset: number, text: string): void => {
    const before = source.slice(0, offset).split('\n')
    found.push({ path, line: before.length, column: (before.at(-1) ?? '').length + 1, text })
  }
  for (const { start, text: whole } of textsIn(path, source)) {
    const text = quoted.reduce((rest, { text: kept }) => rest.replaceAll(kept, ' '.repeat(kept.length)), whole)
    for (const { pattern, write } of PATTERNS)
      for (const match of text.matchAll(pattern)) {
        add(start + match.index, `"${match[0].replaceAll(/\s+/g, ' ')}" reads as a translation: ${write}`)
      }
  }
  if (path.endsWith('.ts'))
    for (const match of source.matchAll(WHETHER)) add(match.index, 'a doc comment begins with a verb: "Returns whether …"')
  return found
}
