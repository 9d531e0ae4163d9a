import { isUtf8 } from 'node:buffer'
import { Script, createContext } from 'node:vm'
import { aipError, messageOf } from '@orrery/aip'
import type { Roots } from '../../policy/roots.js'
import type { Folder } from './folder.js'
import { matchesGlob } from '../../paths/glob.js'
import { FILE_LIMITS } from './limits.js'
import { encodingNamed, markedEncoding } from './text-encoding.js'
import { readBytes } from './read-file.js'
import { walk } from './walk.js'

/** A file that a search has found, and the line in it if it was about content. */
export interface ContentMatch {
  /** From the folder of the search, with `/`. */
  way: string
  line?: number
  text?: string
}

/** What a search is for. */
export interface Wanted {
  text: string
  regex: boolean
  ignoreCase: boolean
  skipFolders: readonly string[]
  glob?: string | undefined
}

/**
 * Finds lines in the files below a folder: the device's own search, for machines without ripgrep.
 * @throws AipError `INVALID_INPUT` for a bad pattern, or one that takes too long
 */
export async function* searchContent(
  folder: Folder,
  wanted: Wanted,
  roots: Roots,
  signal: AbortSignal,
): AsyncGenerator<ContentMatch> {
  const find = lineFinder(wanted)
  const skips = (name: string): boolean => wanted.skipFolders.includes(name)
  for await (const entry of walk(folder, { roots, depth: FILE_LIMITS.depth, skips, signal })) {
    if (entry.type !== 'file' || (wanted.glob !== undefined && !matchesGlob(wanted.glob, entry.way))) continue
    const content = await textFile(entry.folder, entry.name, entry.way)
    if (content === null) continue
    for (const { line, text } of find(content)) yield { way: entry.way, line, text: shorten(text) }
  }
}

/** A line as a match shows it. */
export function shorten(line: string): string {
  const text = line.replace(/\r?\n$/, '')
  return text.length > FILE_LIMITS.line ? `${text.slice(0, FILE_LIMITS.line)}…` : text
}

/** The text of a file, or null where there is nothing to search: binary, too large, or closed to this user. */
async function textFile(folder: Folder, name: string, shown: string): Promise<string | null> {
  const file = await folder.file(name, shown).catch(() => null)
  if (file === null) return null
  try {
    const { size } = await file.stat()
    if (size > FILE_LIMITS.searchedFile) return null
    const { bytes } = await readBytes(file, 0, size)
    return searchedText(bytes)
  } finally {
    await file.close()
  }
}

/** The text of what is searched: UTF-16 by its mark, UTF-8, and what is neither as Windows writes it in Western Europe; null for binary data. */
export function searchedText(bytes: Buffer): string | null {
  const marked = markedEncoding(bytes)
  if (marked !== null) return marked.decode(bytes)
  if (bytes.includes(0)) return null
  return encodingNamed(isUtf8(bytes) ? 'utf-8' : 'windows-1252', bytes).decode(bytes)
}

interface Line {
  line: number
  text: string
}

function lineFinder({ text, regex, ignoreCase }: Wanted): (content: string) => Line[] {
  const source = regex ? text : text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
  let pattern: RegExp
  try {
    pattern = new RegExp(source, ignoreCase ? 'iu' : 'u')
  } catch (error) {
    throw aipError('INVALID_INPUT', { detail: messageOf(error) })
  }
  // Only here can the engine be stopped: some patterns take practically forever.
  const context = createContext({ pattern, lines: [] })
  const script = new Script('lines.flatMap((text, at) => (pattern.test(text) ? [at] : []))')
  return (content) => {
    const lines = content.split('\n')
    if (lines.at(-1) === '') lines.pop()
    context['lines'] = lines
    try {
      const found: unknown = script.runInContext(context, { timeout: FILE_LIMITS.patternTime })
      return indexes(found).map((at) => ({ line: at + 1, text: lines[at] ?? '' }))
    } catch (error) {
      throw aipError('INVALID_INPUT', { detail: `the pattern takes too long: ${messageOf(error)}` })
    }
  }
}

function indexes(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'number') : []
}
