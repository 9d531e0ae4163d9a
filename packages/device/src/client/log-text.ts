import { DEVICE_LIMITS } from '../limits.js'

/** A frame or a value for the log, without its megabytes. */
export function logText(value: unknown): string {
  const text = textOf(value)
  return text.length > DEVICE_LIMITS.loggedValue ? `${text.slice(0, DEVICE_LIMITS.loggedValue)}…` : text
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  // Each character takes at most four bytes.
  if (value instanceof Uint8Array) return Buffer.from(value.subarray(0, DEVICE_LIMITS.loggedValue * 4 + 4)).toString()
  return JSON.stringify(value ?? null)
}
