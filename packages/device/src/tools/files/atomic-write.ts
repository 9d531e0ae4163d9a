import { createHash, randomUUID } from 'node:crypto'
import { constants, type BigIntStats } from 'node:fs'
import { lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { isAipError, aipError } from '@orrery/aip'
import { fileError } from '../../paths/file-error.js'
import { FILE_NOT_FOLDER, type Folder } from './folder.js'

/** The bits of a mode that are permissions of owner, group and others. */
export const PERMISSIONS = 0o777

/** Permissions of a new file, before the umask. */
const NEW_FILE = 0o666

/** What a write replaces: what was there when the caller looked, or nothing. */
export type Present = BigIntStats | null

/** Looks at what a write would replace. @throws AipError `PATH_KIND` if it is not a file */
export async function presentFile(folder: Folder, name: string, shown: string): Promise<Present> {
  const stats = await lstat(folder.at(name), { bigint: true }).catch((error: unknown) => {
    const problem = fileError(error, shown)
    if (isAipError(problem, 'FILE_NOT_FOUND')) return null
    throw problem
  })
  if (stats?.isDirectory() === true) throw aipError('PATH_KIND', { path: shown, expected: FILE_NOT_FOLDER })
  if (stats !== null && !stats.isFile()) throw aipError('PATH_KIND', { path: shown, expected: 'a file' })
  return stats
}

/**
 * Writes a file as a whole.
 * @returns the SHA-256 of the new content
 * @throws as {@link replaceAtomically}
 */
export async function writeAtomically(
  folder: Folder,
  name: string,
  content: Buffer,
  before: Present,
  shown: string,
): Promise<string> {
  await replaceAtomically(folder, name, before, shown, (file) => file.writeFile(content))
  return createHash('sha256').update(content).digest('hex')
}

/**
 * Makes or replaces a file at once: readers see the old content or the new one, and a crash leaves one of them. Permissions are kept.
 * @param before what {@link presentFile} gave; if another program has changed the file since, it is left alone
 * @param write writes the new content to an empty file; when it fails, nothing has changed and nothing is left
 * @param wantedMode its permissions; default: those of the file that it replaces, or of a new file
 * @returns what `write` gives
 * @throws AipError `FILE_CHANGED`, `FILE_FAILED`, or of `write`
 */
export async function replaceAtomically<T>(
  folder: Folder,
  name: string,
  before: Present,
  shown: string,
  write: (file: FileHandle) => Promise<T>,
  wantedMode?: number,
): Promise<T> {
  const temporary = `.orrery-${randomUUID()}.tmp`
  try {
    // As the system does on a write: changing a program must not pass on its rights.
    const mode = wantedMode ?? (before === null ? NEW_FILE : Number(before.mode) & PERMISSIONS)
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    const file = await open(folder.at(temporary), flags, mode)
    let written: T
    try {
      written = await write(file)
      if (before !== null) await keepOwner(file, before)
      // What is asked for, and what was there, the umask does not change.
      if (before !== null || wantedMode !== undefined) await file.chmod(mode)
      await file.sync()
    } finally {
      await file.close()
    }
    const now = await presentFile(folder, name, shown)
    if (!isSame(before, now)) throw aipError('FILE_CHANGED', { path: shown, detail: 'another program changed it meanwhile' })
    await rename(folder.at(temporary), folder.at(name))
    return written
  } catch (error) {
    await unlink(folder.at(temporary)).catch(() => {})
    throw fileError(error, shown)
  }
}

/** Only the superuser may give a file to others; otherwise it becomes the user's own, as with any editor that replaces files. */
async function keepOwner(file: FileHandle, before: BigIntStats): Promise<void> {
  await file.chown(Number(before.uid), Number(before.gid)).catch(() => {})
}

function isSame(one: Present, other: Present): boolean {
  return one?.ino === other?.ino && one?.size === other?.size && one?.mtimeNs === other?.mtimeNs
}
