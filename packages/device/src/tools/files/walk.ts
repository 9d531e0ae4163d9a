import { readdir } from 'node:fs/promises'
import { AipError, aipError } from '@orrery/aip'
import { fileError } from '../../paths/file-error.js'
import type { Roots } from '../../policy/roots.js'
import { kindOf, type EntryInfo } from './entry-info.js'
import type { Folder } from './folder.js'
import { FILE_LIMITS } from './limits.js'

/** An entry that a walk meets. */
export interface WalkedEntry {
  /** The folder that holds it; open until the walk goes on. */
  folder: Folder
  name: string
  type: EntryInfo['type']
  /** Path from where the walk started, with `/` on every system. */
  way: string
}

/** How far a walk goes. */
export interface WalkOptions {
  roots: Roots
  /** Levels of folders below the first. */
  depth: number
  /** Whether a folder of this name is passed over. */
  skips?: (name: string) => boolean
  signal: AbortSignal
}

/**
 * Meets all entries below a folder, each folder before what is in it, by name. Links are met and not followed; closed folders, and
 * those that cannot be read, are passed over.
 * @throws AipError `TOOL_CANCELLED` when the signal aborts
 */
export async function* walk(folder: Folder, options: WalkOptions, prefix = ''): AsyncGenerator<WalkedEntry> {
  const { roots, depth, skips = () => false, signal } = options
  const entries = await readdir(folder.at(''), { withFileTypes: true }).catch((error: unknown) =>
    Promise.reject(fileError(error, folder.path)),
  )
  entries.sort((one, other) => (one.name < other.name ? -1 : 1))
  for (const entry of entries) {
    if (signal.aborted) throw aipError('TOOL_CANCELLED')
    const { name } = entry
    const type = kindOf(entry)
    const way = prefix + name
    if (type !== 'folder') {
      yield { folder, name, type, way }
      continue
    }
    if (skips(name) || !(await roots.allows(folder.pathOf(name)))) continue
    yield { folder, name, type, way }
    if (depth <= 1) continue
    const below = await folder.folder(name, way).catch(() => null)
    if (below === null) continue
    try {
      yield* walk(below, { ...options, depth: Math.min(depth, FILE_LIMITS.depth) - 1 }, `${way}/`)
    } catch (error) {
      // A folder that may be opened and not listed.
      if (error instanceof AipError) throw error
    } finally {
      await below[Symbol.asyncDispose]()
    }
  }
}
