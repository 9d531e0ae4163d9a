/** Longest part of a value that is logged, in characters. */
const LOGGED = 500

/** A frame or a value for the log, without its megabytes. */
export function logText(value: unknown): string {
  const text = textOf(value)
  return text.length > LOGGED ? `${text.slice(0, LOGGED)}…` : text
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  // Each character takes at most four bytes.
  if (value instanceof Uint8Array) return Buffer.from(value.subarray(0, LOGGED * 4 + 4)).toString()
  return JSON.stringify(value ?? null)
}
