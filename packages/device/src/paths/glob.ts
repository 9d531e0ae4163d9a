import { DEVICE_LIMITS } from '../limits.js'

/**
 * Whether a path matches a pattern: `*` stands for any characters but `/`, `?` for one of them, `**` for any folders, `{a,b}` for
 * either. A pattern without `/` is about the name alone. It takes time in proportion to pattern and path, whatever they are.
 * @param way relative, with `/`
 */
export function matchesGlob(pattern: string, way: string): boolean {
  const segments = way.split('/')
  return alternatives(pattern).some((each) => {
    if (!each.includes('/')) return matchesName(each, segments.at(-1) ?? '')
    return matchesList(each.replace(/^\/|\/$/g, '').split('/'), segments, (part, name) => matchesName(part, name), '**')
  })
}

function alternatives(pattern: string): string[] {
  let all = [pattern]
  for (;;) {
    const at = all.findIndex((each) => /\{[^{}]*\}/.test(each))
    if (at < 0 || all.length > DEVICE_LIMITS.patternAlternatives) return all
    const found = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(all[at] ?? '')
    if (found === null) return all
    const [, before = '', inner = '', after = ''] = found
    all = [...all.slice(0, at), ...inner.split(',').map((part) => before + part + after), ...all.slice(at + 1)]
  }
}

/** Whether a text matches a pattern: `*` stands for any characters, `?` for one. */
export function matchesName(pattern: string, name: string): boolean {
  return matchesList(Array.from(pattern), Array.from(name), (part, char) => part === '?' || part === char, '*')
}

/** Whether a list matches a pattern in which `joker` stands for any number of items. On a mismatch only the last joker takes one more. */
export function matchesList(
  pattern: readonly string[],
  items: readonly string[],
  same: (part: string, item: string) => boolean,
  joker: string,
): boolean {
  let part = 0
  let item = 0
  let lastJoker = -1
  let taken = 0
  while (item < items.length) {
    const wanted = pattern[part]
    if (wanted === joker) {
      lastJoker = part
      taken = item
      part += 1
    } else if (wanted !== undefined && same(wanted, items[item] ?? '')) {
      part += 1
      item += 1
    } else if (lastJoker >= 0) {
      taken += 1
      item = taken
      part = lastJoker + 1
    } else {
      return false
    }
  }
  while (pattern[part] === joker) part += 1
  return part === pattern.length
}
