import { lstat, readlink, realpath, statfs } from 'node:fs/promises'
import { isAbsolute, join, parse, resolve, sep } from 'node:path'
import { aipError } from '@orrery/aip'
import { DEVICE_LIMITS } from '../limits.js'
import { codeOf, fileError } from './file-error.js'

const isWindows = process.platform === 'win32'
/** The type that `statfs` gives for procfs (`PROC_SUPER_MAGIC` of Linux). */
const PROCFS = 0x9fa0

/** Where a path leads. */
export interface Destination {
  /** Absolute, without links, `.` and `..`. */
  real: string
  /** Whether there is something at this place. */
  exists: boolean
  /** Whether the path leads there by its names alone: no link was followed, and it has no `..`. */
  plain: boolean
}

/**
 * Puts a path behind the folder in which it starts. Unlike `resolve` it leaves `..` as it is: what that stands for is known only once
 * the links before it are followed. On Windows the system itself takes `..` by the text alone.
 */
export function pathFrom(folder: string, path: string): string {
  if (isWindows) return resolve(folder, path)
  if (path === '') return folder
  return isAbsolute(path) ? path : `${folder}${folder.endsWith(sep) ? '' : sep}${path}`
}

/**
 * Follows a path as the kernel walks it: component by component, each link before the `..` behind it. What does not exist is placed in the
 * nearest folder that does, and a link to nothing leads to the place that it names.
 * @param path absolute, from {@link pathFrom}
 * @param shown how errors name the path
 * @throws AipError `FILE_NOT_FOUND` for `..` behind what does not exist, `PATH_KIND`, or `FILE_FAILED`, among others for more links than the
 * kernel follows, and for a link of procfs to an open file, a working folder or a root: the kernel jumps there without walking a path
 */
export async function destinationOf(path: string, shown = path): Promise<Destination> {
  const start = isWindows ? resolve(path) : path
  if (Buffer.byteLength(start) > DEVICE_LIMITS.pathLength) throw aipError('FILE_FAILED', { path: shown, detail: 'name too long' })
  const { root } = parse(start)
  let at = root
  const ahead = componentsOf(start.slice(root.length))
  let links = 0
  let plain = true
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === '..') {
      at = join(at, '..')
      plain = false
      continue
    }
    const next = join(at, name)
    const found = await lookUp(next, shown)
    if (found === null) {
      if (ahead.includes('..')) throw aipError('FILE_NOT_FOUND', { path: shown })
      return { real: join(await canonical(at), name, ...ahead.toReversed()), exists: false, plain }
    }
    if (found === 'link') {
      links += 1
      plain = false
      if (links > DEVICE_LIMITS.pathLinks) throw aipError('FILE_FAILED', { path: shown, detail: 'too many links' })
      const target = await linkTarget(next, at, shown)
      if (isAbsolute(target)) at = parse(target).root
      ahead.push(...componentsOf(target.slice(parse(target).root.length)))
    } else if (found === 'other' && ahead.length > 0) {
      throw aipError('PATH_KIND', { path: shown, expected: 'a folder' })
    } else {
      at = next
    }
  }
  return { real: await canonical(at), exists: true, plain }
}

/** The names of a path, last one first. A blank one or `.` means the folder before it, which only matters at the end: `file/.` is not a file. */
function componentsOf(path: string): string[] {
  const names = path.split(isWindows ? /[/\\]/ : '/')
  const kept = names.filter((name) => name !== '' && name !== '.')
  const last = names.at(-1)
  return (kept.length > 0 && (last === '' || last === '.') ? [...kept, '.'] : kept).toReversed()
}

/** What is at a place, without following a link there; null for nothing. */
async function lookUp(place: string, shown: string): Promise<'folder' | 'link' | 'other' | null> {
  try {
    const found = await lstat(place)
    return found.isSymbolicLink() ? 'link' : found.isDirectory() ? 'folder' : 'other'
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw fileError(error, shown)
  }
}

/** @param folder the real folder of the link */
async function linkTarget(link: string, folder: string, shown: string): Promise<string> {
  try {
    const target = await readlink(link)
    const jumps = process.platform === 'linux' && (isAbsolute(target) || target.includes(':'))
    if (jumps && (await statfs(folder)).type === PROCFS)
      throw aipError('FILE_FAILED', { path: shown, detail: 'it leads through a link of /proc that is not a path' })
    return target
  } catch (error) {
    throw fileError(error, shown)
  }
}

/** The name under which the system knows a place that exists: where letter case does not count, only one spelling compares. */
async function canonical(place: string): Promise<string> {
  return process.platform === 'linux' ? place : realpath(place).catch(() => place)
}
