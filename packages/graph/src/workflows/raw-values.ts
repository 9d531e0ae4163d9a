/** Returns whether a value of a file is a map. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns a map of a file that may hold mistakes; an empty one for anything else. */
export function objectOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {}
}

/** Returns a list of a file that may hold mistakes; an empty one for anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Returns the names that differ only in case from an earlier one. */
export function repeatedNames(names: readonly string[]): string[] {
  const seen = new Set<string>()
  return names.filter((name) => {
    const repeated = seen.has(name.toLowerCase())
    seen.add(name.toLowerCase())
    return repeated
  })
}
