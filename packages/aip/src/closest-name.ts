import { LIMITS } from './limits.js'

/**
 * Returns the name that a user may have meant: the one with the fewest letters that differ, at most a third of them. Case and the signs `-`
 * and `_` do not count. Null if none is close.
 */
export function closestName(given: string, names: Iterable<string>): string | null {
  const wanted = plain(given)
  let best: string | null = null
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1
  if (wanted.length > LIMITS.comparedName) return null
  for (const name of names) {
    const distance = name.length > LIMITS.comparedName ? least : editDistance(wanted, plain(name), least)
    if (distance >= least) continue
    least = distance
    best = name
  }
  return best
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_ ]/g, '')
}

/** Letters to insert, leave out, replace or swap with the next; `most` if there are that many. */
function editDistance(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) >= most) return most
  let before: number[] = []
  let above = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row]
    for (let at = 1; at <= other.length; at += 1) {
      const same = one[row - 1] === other[at - 1]
      const swapped = row > 1 && at > 1 && one[row - 1] === other[at - 2] && one[row - 2] === other[at - 1]
      current[at] = Math.min(
        (above[at] ?? most) + 1,
        (current[at - 1] ?? most) + 1,
        (above[at - 1] ?? most) + (same ? 0 : 1),
        swapped ? (before[at - 2] ?? most) + 1 : most,
      )
    }
    before = above
    above = current
  }
  return Math.min(most, above.at(-1) ?? most)
}
