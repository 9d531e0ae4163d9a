import { createHash } from 'node:crypto'

/** SHA-256 of arguments as hex: the same for the same values, whatever the order of their keys. */
export function argumentsHash(args: Record<string, unknown>): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(args)))
    .digest('hex')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries: [string, unknown][] = Object.entries(value)
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]))
}
