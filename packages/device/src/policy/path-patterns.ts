import { homedir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { destinationOf } from '../paths/destination.js'
import { matchesGlob, matchesName } from '../paths/glob.js'

/** The `path` of a rule, absolute: as it is written, and with the links followed that lead to the folder in front of its first wildcard. */
export type PathPattern = readonly string[]

/**
 * Follows the links in a pattern, so that a rule holds under each name of a folder.
 * @param cwd where relative patterns start
 */
export async function pathPattern(pattern: string, cwd: string): Promise<PathPattern> {
  const absolute = pattern.startsWith('~/') ? join(homedir(), pattern.slice(2)) : resolve(cwd, pattern)
  const segments = absolute.split(sep)
  const wildcard = segments.findIndex((segment) => /[*?{}]/.test(segment))
  const end = wildcard < 0 ? segments.length : wildcard
  const base = segments.slice(0, end).join(sep) || sep
  const real = await destinationOf(base).then(
    (found) => found.real,
    () => base,
  )
  return [absolute, join(real, ...segments.slice(end))]
}

/** Returns whether a path matches. @param path absolute */
export function matchesPath(forms: PathPattern, path: string): boolean {
  return forms.some((form) => matchesGlob(`/${slashed(form)}`, slashed(path)))
}

/** Returns whether something in a folder, at whatever depth, may match. @param folder real */
export function mayMatchIn(forms: PathPattern, folder: string): boolean {
  const names = segmentsOf(folder)
  return forms.some((form) => {
    const parts = segmentsOf(form)
    for (const [at, name] of names.entries()) {
      const part = parts[at]
      if (part === undefined) return false
      // Braces may stand for several folders.
      if (part === '**' || part.includes('{')) return true
      if (!matchesName(part, name)) return false
    }
    return true
  })
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/').replace(/^\//, '')
}

function segmentsOf(path: string): string[] {
  return slashed(path)
    .split('/')
    .filter((name) => name !== '')
}
