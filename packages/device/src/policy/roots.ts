import { access, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { aipError } from '@orrery/aip'
import { destinationOf, pathFrom, type Destination } from '../paths/destination.js'

const isLinux = process.platform === 'linux'

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

  /** The folders in words, with what to do about a path outside of them. */
  get shared(): string {
    return `${this.#folders.join(', ')}; its owner can share more with "roots" in device.jsonc`
  }

  /** Replaces the folders. */
  update({ folders = [], closed = [] }: Omit<RootsOptions, 'cwd'>): void {
    this.#folders = (folders.length === 0 ? [this.#cwd] : folders).map((folder) => resolve(this.#cwd, folder))
    // On Linux what this process knows, its keys among it, can be read as files.
    const own = isLinux ? [`/proc/${process.pid}`] : []
    this.#closed = [...closed.map((folder) => resolve(this.#cwd, folder)), ...own]
  }

  /**
   * The absolute form of a path; no link is followed and nothing is looked up, so `..` stays as it is (see `pathFrom`).
   * @throws AipError `INVALID_INPUT` for a path with a NUL character
   */
  absolute(path: string): string {
    if (path.includes('\0')) throw aipError('INVALID_INPUT', { detail: 'a path cannot hold a NUL character' })
    return pathFrom(this.base, path)
  }

  /**
   * Where a path leads, if that is in a root and not closed. What does not exist yet is judged by the nearest folder that does.
   * @param from where a relative path starts; default: {@link base}
   * @throws AipError `PATH_OUTSIDE_ROOTS`, `PATH_CLOSED`, `INVALID_INPUT`, and as `destinationOf` does
   */
  async destination(path: string, from = this.base): Promise<Destination> {
    const start = this.absolute(pathFrom(from, path))
    this.#refuseOtherMachines(start, path)
    const found = await destinationOf(start, path)
    await this.#allowed(path, found.real)
    return found
  }

  /** The real path behind `path`. @throws as {@link destination} */
  async target(path: string): Promise<string> {
    return (await this.destination(path)).real
  }

  /** Like {@link target}, for the entry itself: a link at the end of the path is not followed. @throws as {@link target} */
  async entry(path: string): Promise<string> {
    const absolute = this.absolute(path)
    this.#refuseOtherMachines(absolute, path)
    const parent = dirname(absolute)
    return this.#allowed(
      path,
      parent === absolute ? absolute : join((await destinationOf(parent, path)).real, basename(absolute)),
    )
  }

  /** Returns whether a real path is in a root, and not in a closed folder. */
  async allows(real: string): Promise<boolean> {
    const [roots, closed] = await Promise.all([realOnes(this.folders), closedOnes(this.#closed)])
    return (
      roots.some((root) => isInside(root, real)) && !closed.some((folder) => isInside(folder, real)) && !(await isOwnThread(real))
    )
  }

  /** Returns whether a real path is one of the folders themselves. */
  async isRoot(real: string): Promise<boolean> {
    return (await realOnes(this.folders)).includes(real)
  }

  /** Returns whether a real path is a root or a closed folder, or holds one: it must be neither moved nor deleted. */
  async isAnchored(real: string): Promise<boolean> {
    const [roots, closed] = await Promise.all([realOnes(this.folders), closedOnes(this.#closed)])
    return [...roots, ...closed].some((folder) => isInside(real, folder))
  }

  /** Returns whether something in this folder, at whatever depth, is closed: what reads all of it would show that too. @param real without links */
  async holdsClosed(real: string): Promise<boolean> {
    return (await closedOnes(this.#closed)).some((place) => isInside(real, place))
  }

  /** On Windows, looking at a path of another machine already shows that machine who asks. */
  #refuseOtherMachines(absolute: string, shown: string): void {
    if (process.platform !== 'win32' || !/^[/\\]{2}/.test(absolute)) return
    if (!this.folders.some((root) => isInside(root, absolute)))
      throw aipError('PATH_OUTSIDE_ROOTS', { path: shown, roots: this.shared })
  }

  async #allowed(shown: string, real: string): Promise<string> {
    if (await this.allows(real)) return real
    const closed = await closedOnes(this.#closed)
    if (closed.some((folder) => isInside(folder, real)) || (await isOwnThread(real)))
      throw aipError('PATH_CLOSED', { path: shown })
    throw aipError('PATH_OUTSIDE_ROOTS', { path: shown, roots: this.shared })
  }
}

/** Returns whether `path` is `folder` or inside it. Both are absolute. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** Folders under their real paths, also of one that does not exist; one that cannot be walked stays as it is. */
function realOnes(folders: readonly string[]): Promise<string[]> {
  return Promise.all(
    // The quick way first: this is asked about each folder of a walk.
    folders.map((folder) =>
      realpath(folder)
        .catch(async () => (await destinationOf(folder)).real)
        .catch(() => folder),
    ),
  )
}

/** Like {@link realOnes}, and where such a place is a link itself, the link too: replacing the link replaces the place. */
async function closedOnes(places: readonly string[]): Promise<string[]> {
  const parents = await realOnes(places.map((place) => dirname(place)))
  const links = places.map((place, at) => join(parents[at] ?? dirname(place), basename(place)))
  return [...new Set([...(await realOnes(places)), ...links])]
}

/** Each thread of this process has a folder of its own in `/proc`, which no list shows. */
async function isOwnThread(real: string): Promise<boolean> {
  const [, id] = (isLinux ? /^\/proc\/(\d+)(?:\/|$)/.exec(real) : null) ?? []
  if (id === undefined) return false
  return access(`/proc/${process.pid}/task/${id}`).then(
    () => true,
    () => false,
  )
}
