import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Roots } from './roots.js'
import { DEVICE_LIMITS } from '../limits.js'

/** Programs of the strict shell that show names, sizes and times at most: these may be asked about every path. */
const SHOWS_NO_CONTENT: ReadonlySet<string> = new Set(
  (
    'ls pwd find which whereis tr uname hostname whoami id uptime free df du ps ping traceroute nslookup host stat python3 python echo ' +
    'cal basename dirname realpath test'
  ).split(' '),
)

/** Options by which a program reads names of files from a file, or follows links that it meets; their effect cannot be foreseen. */
const UNFORESEEABLE: Readonly<Record<string, RegExp>> = {
  find: /^-files0-from/,
  du: /^--f/,
  wc: /^--f/,
  sort: /^--fil/,
  md5sum: /^(-[a-z]*c|--c)/,
  sha256sum: /^(-[a-z]*c|--c)/,
  file: /^(-[A-Za-z]*f|--f)/,
  grep: /^(-[a-zA-Z0-9]*R|--der)/,
  diff: /^(-[a-zA-Z]*r|--r)/,
}

/** Programs that read what is in a folder. */
const READS_FOLDERS: ReadonlySet<string> = new Set(['grep', 'diff'])

/** Facts about the machine that every user of it may read, and that programs are commonly asked for. */
const PUBLIC_FILES: ReadonlySet<string> = new Set([
  '/etc/os-release',
  '/etc/hostname',
  '/proc/cpuinfo',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/uptime',
  '/proc/version',
])

/**
 * Returns what is wrong with the paths that a program of the strict shell would read, or `null`. Which arguments are paths differs from
 * option to option, so every argument, and every part of one that could be a value, counts as a path if there is such a file. That
 * refuses a little too much and misses nothing, save for links that other programs of this machine make at that very moment.
 */
export async function objectionToPaths(name: string, args: readonly string[], cwd: string, roots: Roots): Promise<string | null> {
  const option = args.find((arg) => UNFORESEEABLE[name]?.test(arg) === true)
  if (option !== undefined) return `with ${option} it could read files outside of ${roots.folders.join(', ')}`
  if (SHOWS_NO_CONTENT.has(name)) return null
  const outside = (path: string): string =>
    `${path} is outside of the folders that this device shares: ${roots.folders.join(', ')}`
  // Without an argument some programs read the folder in which they run.
  if (READS_FOLDERS.has(name) && !(await reaches(roots, cwd))) return outside(cwd)
  for (const arg of args) {
    if (/^-[^-]/.test(arg) && arg.length > DEVICE_LIMITS.stuckValue)
      return `the option ${arg.slice(0, 20)}… is too long; put a blank before its value`
    for (const candidate of candidates(arg)) {
      const path = resolve(cwd, candidate)
      const found = await stat(path).catch(() => null)
      if (found === null || PUBLIC_FILES.has(path) || (found.isDirectory() && !READS_FOLDERS.has(name))) continue
      if (!(await reaches(roots, path))) return outside(path)
    }
  }
  return null
}

async function reaches(roots: Roots, path: string): Promise<boolean> {
  return roots.target(path).then(
    () => true,
    () => false,
  )
}

/** The argument, and what could be the value of an option in it. */
function candidates(arg: string): string[] {
  if (arg === '' || arg.includes('\0')) return []
  const value = arg.includes('=') ? [arg.slice(arg.indexOf('=') + 1)] : []
  const stuck = /^-[^-]/.test(arg) ? Array.from(arg, (_, at) => arg.slice(at)).slice(2) : []
  return [arg, ...value, ...stuck].filter((each) => each !== '')
}
