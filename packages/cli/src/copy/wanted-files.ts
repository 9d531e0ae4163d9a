import { createWriteStream } from 'node:fs'
import { glob, lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, matchesGlob, posix, relative, resolve, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { usageError } from '../terminal/errors.js'
import { fileNameIn } from './copy-place.js'
import type { DeviceFiles, Entry } from './device-files.js'

/** A file to copy, and where it comes below the target. */
export interface WantedFile {
  path: string
  /** With `/` between its parts. */
  below: string
  /** Of a file on a device, where it is known. */
  entry: Entry | null
  /** Bytes, of a file of this machine. */
  size: number
}

/** Levels of folders that are copied, the most that the tool of the device lists. */
const DEPTH = 64
const PATTERN = /[*?[\]{}]/

/** The files of this machine that a word names: itself, those that a pattern matches, or all in a folder. @throws {CliError} with exit code 2 */
export async function localFiles(word: string, recursive: boolean): Promise<WantedFile[]> {
  const found = await lstat(word).catch(() => null)
  const paths: string[] = []
  if (found === null && PATTERN.test(word)) for await (const path of glob(word)) paths.push(path)
  else paths.push(word)
  if (paths.length === 0) throw usageError(`No file matches '${word}'`)
  const files: WantedFile[] = []
  for (const path of paths.sort()) {
    const stats = await lstat(path).catch(() => null)
    if (stats?.isDirectory() !== true) {
      files.push({ path, below: fileNameIn(resolve(path).split(sep).join('/')), entry: null, size: stats?.size ?? 0 })
    } else if (recursive) files.push(...(await filesIn(path)))
    else if (paths.length === 1) throw usageError(`'${path}' is a folder: copy it with --recursive`)
  }
  return files
}

async function filesIn(folder: string): Promise<WantedFile[]> {
  const top = basename(resolve(folder))
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files: WantedFile[] = []
  // A link leads elsewhere, and is not followed.
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name)
    const { size } = await lstat(path)
    files.push({ path, below: [top, ...relative(folder, path).split(sep)].join('/'), entry: null, size })
  }
  return files.sort((a, b) => a.below.localeCompare(b.below))
}

/** The files of a device that a word names, as {@link localFiles}. @throws {CliError} if there are none, or it does not list them */
export async function deviceFiles(files: DeviceFiles, word: string, recursive: boolean): Promise<WantedFile[]> {
  if (PATTERN.test(word) && (await files.look(word)) === null) return matching(files, word, recursive)
  const entry = await files.look(word)
  if (entry?.type === 'folder') {
    if (recursive) return inFolder(files, word)
    throw usageError(`'${word}' is a folder of ${files.device}: copy it with --recursive`)
  }
  const name = fileNameIn(word)
  if (name === '') throw usageError(`'${word}' does not name a file; a folder is copied with --recursive`)
  return [{ path: word, below: name, entry, size: entry?.size ?? 0 }]
}

async function inFolder(files: DeviceFiles, word: string): Promise<WantedFile[]> {
  const { path, entries } = await files.list(word, DEPTH)
  return entries
    .filter(({ type }) => type === 'file')
    .map((entry) => ({
      path: entry.path,
      below: [posix.basename(path), relativeTo(path, entry.path)].join('/'),
      entry,
      size: entry.size,
    }))
}

async function matching(files: DeviceFiles, pattern: string, recursive: boolean): Promise<WantedFile[]> {
  const parts = pattern.split('/')
  const at = parts.findIndex((part) => PATTERN.test(part))
  const folder = parts.slice(0, at).join('/') || (pattern.startsWith('/') ? '/' : '.')
  const rest = parts.slice(at)
  const { path, entries } = await files.list(folder, rest.includes('**') ? DEPTH : rest.length)
  const found = entries.filter((entry) => matchesGlob(relativeTo(path, entry.path), rest.join('/')))
  if (found.length === 0) throw usageError(`No file of ${files.device} matches '${pattern}'`)
  const all = await Promise.all(
    found.map(async (entry): Promise<WantedFile[]> => {
      if (entry.type === 'file') return [{ path: entry.path, below: posix.basename(entry.path), entry, size: entry.size }]
      return recursive && entry.type === 'folder' ? inFolder(files, entry.path) : []
    }),
  )
  return all.flat()
}

function relativeTo(folder: string, path: string): string {
  const start = folder.endsWith('/') ? folder : `${folder}/`
  if (!path.startsWith(start)) throw usageError(`The device lists '${path}' in '${folder}', where it cannot be`)
  const below = path.slice(start.length)
  if (below.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw usageError(`The device lists '${path}', which could lead out of '${folder}'`)
  return below
}

/** The standard input of this process as a file, because the length of what is sent must be known. @returns its path, and removes it */
export async function stdinFile(signal: AbortSignal): Promise<{ path: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'orrery-cp-'))
  const path = join(folder, 'stdin')
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }), { signal })
  } catch (error) {
    await remove()
    throw error
  }
  return { path, [Symbol.asyncDispose]: remove }
}
