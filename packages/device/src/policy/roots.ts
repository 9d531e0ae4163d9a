import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { aipError } from '@orrery/aip'
import { codeOf, fileError } from '../paths/file-error.js'

/** What {@link Roots} is built from. */
export interface RootsOptions {
  /** The folders that tools may work in; relative ones start at `cwd`. None: `cwd` alone. */
  folders?: readonly string[] | undefined
  /** Folders and files that belong to the device itself (keys, configuration, journal); closed even inside a root. */
  closed?: readonly string[] | undefined
  /** The folder in which the device was started. */
  cwd: string
}

/**
 * The folders that the tools of a device may work in. Decisions are about real paths: every link on the way is followed first.
 * A path that this class gives may be replaced by a link afterwards; code that opens it must not follow links.
 */
export class Roots {
  readonly #cwd: string
  #closed: readonly string[] = []
  #folders: readonly string[] = []

  constructor({ cwd, ...folders }: RootsOptions) {
    this.#cwd = resolve(cwd)
    this.update(folders)
  }

  /** Absolute; links in them are not followed yet. */
  get folders(): readonly string[] {
    return this.#folders
  }

  /** Where relative paths start: the start folder if it is in a root, else the first root. */
  get base(): string {
    return this.#folders.some((root) => isInside(root, this.#cwd)) ? this.#cwd : (this.#folders[0] ?? this.#cwd)
  }

  /** Replaces the folders. */
  update({ folders = [], closed = [] }: Omit<RootsOptions, 'cwd'>): void {
    this.#folders = (folders.length === 0 ? [this.#cwd] : folders).map((folder) => resolve(this.#cwd, folder))
    // On Linux what this process knows, its keys among it, can be read as files.
    const own = process.platform === 'linux' ? [`/proc/${process.pid}`] : []
    this.#closed = [...closed.map((folder) => resolve(this.#cwd, folder)), ...own]
  }

  /**
   * The absolute form of a path; no link is followed and nothing is looked up.
   * @throws AipError `INVALID_INPUT` for a path with a NUL character
   */
  absolute(path: string): string {
    if (path.includes('\0')) throw aipError('INVALID_INPUT', { detail: 'a path cannot hold a NUL character' })
    return resolve(this.base, path)
  }

  /**
   * The real path behind `path`. What does not exist yet is resolved from the nearest folder above it that does.
   * @throws AipError `PATH_OUTSIDE_ROOTS`, `PATH_CLOSED`; `FILE_NOT_FOUND` for a link to nothing; `INVALID_INPUT`
   */
  async target(path: string): Promise<string> {
    return this.#allowed(path, await realPathOf(this.absolute(path), path))
  }

  /** Like {@link target}, for the entry itself: a link at the end of the path is not followed. @throws as {@link target} */
  async entry(path: string): Promise<string> {
    const absolute = this.absolute(path)
    const parent = dirname(absolute)
    return this.#allowed(path, parent === absolute ? absolute : join(await realPathOf(parent, path), basename(absolute)))
  }

  /** Returns whether a real path is in a root, and not in a closed folder. */
  async allows(real: string): Promise<boolean> {
    const [roots, closed] = await Promise.all([realOnes(this.folders), closedOnes(this.#closed)])
    return roots.some((root) => isInside(root, real)) && !closed.some((folder) => isInside(folder, real))
  }

  /** Returns whether a real path is a root or a closed folder, or holds one: it must be neither moved nor deleted. */
  async isAnchored(real: string): Promise<boolean> {
    const [roots, closed] = await Promise.all([realOnes(this.folders), closedOnes(this.#closed)])
    return [...roots, ...closed].some((folder) => isInside(real, folder))
  }

  async #allowed(shown: string, real: string): Promise<string> {
    if (await this.allows(real)) return real
    const closed = await closedOnes(this.#closed)
    if (closed.some((folder) => isInside(folder, real))) throw aipError('PATH_CLOSED', { path: shown })
    throw aipError('PATH_OUTSIDE_ROOTS', { path: shown, roots: this.folders.join(', ') })
  }
}

/** Returns whether `path` is `folder` or inside it. Both are absolute. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** Folders under their real paths; one that does not exist stays as it is. */
function realOnes(folders: readonly string[]): Promise<string[]> {
  return Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)))
}

/** Like {@link realOnes}, and where such a place is a link itself, the link too: replacing the link replaces the place. */
async function closedOnes(places: readonly string[]): Promise<string[]> {
  const links = places.map(async (place) => join(await realpath(dirname(place)).catch(() => dirname(place)), basename(place)))
  return [...new Set([...(await realOnes(places)), ...(await Promise.all(links))])]
}

/**
 * The path with all links followed. What does not exist yet is resolved from the nearest folder above it that does.
 * @param shown how errors name the path
 * @throws AipError `FILE_NOT_FOUND` for a link to nothing, or what the file system says
 */
export async function realPathOf(absolute: string, shown = absolute): Promise<string> {
  const missing: string[] = []
  for (let at = absolute; ; at = dirname(at)) {
    try {
      return join(await realpath(at), ...missing)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || dirname(at) === at) throw fileError(error, shown)
      // A link to nothing is there, and writing through it would make its target, wherever that is.
      const dangling = await lstat(at).then(
        () => true,
        () => false,
      )
      if (dangling) throw aipError('FILE_NOT_FOUND', { path: `${shown} (a link to nothing)` })
      missing.unshift(basename(at))
    }
  }
}
