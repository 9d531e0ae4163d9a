/** Splits a D-Bus signature into its complete types, e.g. `sa(iu)v` into `s`, `a(iu)`, `v`. @throws Error if it is none */
export function completeTypes(signature: string): string[] {
  const types: string[] = []
  for (let at = 0; at < signature.length;) {
    const end = typeEnd(signature, at)
    types.push(signature.slice(at, end))
    at = end
  }
  return types
}

function typeEnd(signature: string, start: number): number {
  let at = start
  while (signature[at] === 'a') at += 1
  const first = signature[at]
  if (first === undefined) throw new Error(`Not a D-Bus signature: ${signature}`)
  if (first !== '(' && first !== '{') return at + 1
  let depth = 0
  for (; at < signature.length; at += 1) {
    if ('({'.includes(signature[at] ?? '')) depth += 1
    if (')}'.includes(signature[at] ?? '')) depth -= 1
    if (depth === 0) return at + 1
  }
  throw new Error(`Not a D-Bus signature: ${signature}`)
}

/** The boundary at which a value of a type begins, in bytes. */
export function alignmentOf(type: string): number {
  switch (type.charAt(0)) {
    case 'y':
    case 'g':
    case 'v':
      return 1
    case 'n':
    case 'q':
      return 2
    case 'x':
    case 't':
    case 'd':
    case '(':
    case '{':
      return 8
    default:
      return 4
  }
}
