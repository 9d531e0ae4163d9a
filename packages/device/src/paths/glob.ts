import { aipError } from '@orrery/aip'
import { DEVICE_LIMITS } from '../limits.js'

/**
 * Returns whether a path matches a pattern: `*` stands for any characters but `/`, `?` for one of them, `**` for any folders, `{a,b}`
 * for either. A pattern without `/` is about the name alone. It takes time in proportion to pattern and path, whatever they are.
 * @param way relative, with `/`
 * @throws AipError `INVALID_INPUT` for a pattern that {@link hasTooManyAlternatives}
 */
export function matchesGlob(pattern: string, way: string): boolean {
  const all = alternatives(pattern)
  if (all === null)
    throw aipError('INVALID_INPUT', {
      detail: `the braces of a pattern stand for more than ${DEVICE_LIMITS.patternAlternatives} alternatives`,
    })
  const segments = way.split('/')
  return all.some((each) => {
    if (!each.includes('/')) return matchesName(each, segments.at(-1) ?? '')
    return matchesList(each.replace(/^\/|\/$/g, '').split('/'), segments, (part, name) => matchesName(part, name), '**')
  })
}

/** Returns whether the braces of a pattern stand for more than `DEVICE_LIMITS.patternAlternatives` alternatives. */
export function hasTooManyAlternatives(pattern: string): boolean {
  return alternatives(pattern) === null
}

/** Writes out the braces of a pattern, the innermost first; null if that gives too many patterns. */
function alternatives(pattern: string): string[] | null {
  let all = [pattern]
  for (;;) {
    const at = all.findIndex((each) => /\{[^{}]*\}/.test(each))
    if (at < 0) return all
    const found = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(all[at] ?? '')
    if (found === null) return all
    const [, before = '', inner = '', after = ''] = found
    all = [...all.slice(0, at), ...inner.split(',').map((part) => before + part + after), ...all.slice(at + 1)]
    if (all.length > DEVICE_LIMITS.patternAlternatives) return null
  }
}

/** Returns whether a text matches a pattern: `*` stands for any characters, `?` for one. */
export function matchesName(pattern: string, name: string): boolean {
  return matchesList(Array.from(pattern), Array.from(name), (part, char) => part === '?' || part === char, '*')
}

/**
 * Returns whether a list matches a pattern in which `wildcard` stands for any number of items. On a mismatch only the last wildcard takes
 * one more.
 */
export function matchesList(
  pattern: readonly string[],
  items: readonly string[],
  same: (part: string, item: string) => boolean,
  wildcard: string,
): boolean {
  let part = 0
  let item = 0
  let lastWildcard = -1
  let taken = 0
  while (item < items.length) {
    const wanted = pattern[part]
    if (wanted === wildcard) {
      lastWildcard = part
      taken = item
      part += 1
    } else if (wanted !== undefined && same(wanted, items[item] ?? '')) {
      part += 1
      item += 1
    } else if (lastWildcard >= 0) {
      taken += 1
      item = taken
      part = lastWildcard + 1
    } else {
      return false
    }
  }
  while (pattern[part] === wildcard) part += 1
  return part === pattern.length
}
