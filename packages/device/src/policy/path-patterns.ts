import { homedir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { destinationOf, pathFrom } from '../paths/destination.js'
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

/**
 * Returns whether the paths in the words of a command are in truth where the wildcards of a rule let them be by their text: `/srv/log/*` is not
 * about `/srv/log/../x`, nor about a link in that folder that leads elsewhere.
 * @param words of the rule behind the program, which match the arguments by their text
 * @param cwd the real folder in which the command runs
 */
export async function leadsWithin(words: readonly string[], args: readonly string[], cwd: string): Promise<boolean> {
  for (const [wanted, word] of pairsOf(words, args)) {
    const value = (text: string): string => text.replace(/^-[^=/]*=/, '')
    if (!/[*?]/.test(wanted) || !wanted.includes('/') || /^[a-z][a-z0-9+.-]*:\/\//i.test(value(wanted))) continue
    const forms = await pathPattern(value(wanted), cwd)
    const found = await destinationOf(pathFrom(cwd, value(word))).catch(() => null)
    if (found === null || !forms.some((form) => matchesName(form, found.real))) return false
  }
  return true
}

/** Which word matches which argument, as far as `**` lets it be known: in front of the first one, and behind the last. */
function pairsOf(words: readonly string[], args: readonly string[]): [string, string][] {
  const first = words.indexOf('**')
  const front = first < 0 ? words : words.slice(0, first)
  const back = first < 0 ? [] : words.slice(words.lastIndexOf('**') + 1)
  return [
    ...front.map((word, at): [string, string] => [word, args[at] ?? '']),
    ...back.map((word, at): [string, string] => [word, args[args.length - back.length + at] ?? '']),
  ]
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/').replace(/^\//, '')
}

function segmentsOf(path: string): string[] {
  return slashed(path)
    .split('/')
    .filter((name) => name !== '')
}
