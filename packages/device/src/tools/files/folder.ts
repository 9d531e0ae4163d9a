import { constants } from 'node:fs'
import { lstat, mkdir, open, readlink, realpath, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { aipError } from '@orrery/aip'
import { codeOf, fileError } from '../../paths/file-error.js'
import type { Roots } from '../../policy/roots.js'

/** Linux reaches the entries of an open folder through its descriptor; there a path cannot be swapped under a tool. */
const PINS = process.platform === 'linux'

/** What {@link Folder.file} expects, where a folder is. */
export const FILE_NOT_FOLDER = 'a file but a folder'

/**
 * A folder that is held open, so that everything happens in this folder even if its path changes meanwhile. Where
 * the system cannot do that (see PINS) the path is checked again instead, which leaves a moment open to other programs of
 * this machine; a caller of the tools has no such moment, because no tool makes links.
 */
export class Folder implements AsyncDisposable {
  /** The real path under which it was opened. */
  readonly path: string
  readonly #roots: Roots
  readonly #handle: FileHandle | null

  private constructor(path: string, roots: Roots, handle: FileHandle | null) {
    this.path = path
    this.#roots = roots
    this.#handle = handle
  }

  /**
   * Opens a folder.
   * @param real a path without links, from {@link Roots}
   * @param shown the path as the caller gave it, for errors
   * @throws AipError of the catalogue, among others when the folder lies outside of the roots by now
   */
  static async open(real: string, roots: Roots, shown: string): Promise<Folder> {
    return Folder.#open(real, real, roots, shown)
  }

  /**
   * The folder above a path, and the name of the path in it.
   * @param make whether missing folders are made
   */
  static async above(real: string, roots: Roots, shown: string, make = false): Promise<Folder> {
    const parent = dirname(real)
    // The folder above a root is out of bounds, and a folder was asked for as a file.
    if ((await roots.isRoot(real)) && !(await roots.allows(parent)))
      throw aipError((await exists(real)) ? 'PATH_KIND' : 'FILE_NOT_FOUND', { path: shown, expected: FILE_NOT_FOLDER })
    if (!make) return Folder.open(parent, roots, shown)
    const missing: string[] = []
    let there = parent
    while (!(await exists(there)) && dirname(there) !== there) {
      missing.unshift(there)
      there = dirname(there)
    }
    let folder = await Folder.open(there, roots, shown)
    for (const path of missing) {
      const above = folder
      const name = basename(path)
      try {
        await mkdir(above.at(name)).catch((error: unknown) => {
          if (codeOf(error) !== 'EEXIST') throw fileError(error, shown)
        })
        folder = await above.folder(name, shown)
      } finally {
        await above[Symbol.asyncDispose]()
      }
    }
    return folder
  }

  static async #open(place: string, real: string, roots: Roots, shown: string): Promise<Folder> {
    if (!PINS) {
      const now = await realpath(place).catch((error: unknown) => Promise.reject(fileError(error, shown)))
      if (now !== real || !(await roots.allows(now)))
        throw aipError('FILE_CHANGED', { path: shown, detail: 'it was moved meanwhile' })
      if (!(await lstat(now)).isDirectory()) throw aipError('PATH_KIND', { path: shown, expected: 'a folder' })
      return new Folder(real, roots, null)
    }
    let handle: FileHandle
    try {
      handle = await open(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    } catch (error) {
      throw fileError(error, shown)
    }
    // What was opened counts, not what lay there when the path was checked.
    const path = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => null)
    if (path !== null && (await roots.allows(path))) return new Folder(path, roots, handle)
    await handle.close()
    throw aipError('PATH_OUTSIDE_ROOTS', { path: shown, roots: roots.shared })
  }

  /** A path by which the system reaches an entry of this folder. @param name without separators; empty: the folder itself */
  at(name: string): string {
    return this.#handle === null ? join(this.path, name) : `/proc/self/fd/${this.#handle.fd}/${name}`
  }

  /** The real path of an entry, to show. */
  pathOf(name: string): string {
    return join(this.path, name)
  }

  /** Opens a folder in this one; a link is not followed. @throws like {@link Folder.open} */
  async folder(name: string, shown: string): Promise<Folder> {
    return Folder.#open(this.at(name), this.pathOf(name), this.#roots, shown)
  }

  /** Opens a file in this folder for reading; a link is not followed, and a pipe or a device is refused. @throws AipError */
  async file(name: string, shown: string): Promise<FileHandle> {
    if (!(await this.#roots.allows(this.pathOf(name)))) throw aipError('PATH_CLOSED', { path: shown })
    let handle: FileHandle
    try {
      // Without O_NONBLOCK, opening a pipe would wait forever. Windows has neither flag, which counts as 0.
      handle = await open(this.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    } catch (error) {
      throw fileError(error, shown)
    }
    const stats = await handle.stat()
    if (stats.isFile()) return handle
    await handle.close()
    throw aipError('PATH_KIND', { path: shown, expected: stats.isDirectory() ? FILE_NOT_FOLDER : 'a file' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close()
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
