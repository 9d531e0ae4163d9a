/** Longest wait before another attempt to reach a server that resumes sessions, in milliseconds; the shortest is a tenth of it (design, "Extensions"). */
const LONGEST_RESUME_WAIT = 5000

/**
 * Returns the wait before another attempt, in milliseconds: it doubles with each failure.
 * @param failures number of failures in a row, from 1
 */
export function backoff(failures: number, { firstMs, longestMs }: { firstMs: number; longestMs: number }): number {
  return Math.min(longestMs, firstMs * 2 ** (failures - 1))
}

/**
 * Returns the wait before another attempt to reach a server that resumes sessions, in milliseconds: short, and random, because many
 * clients lose it at once.
 */
export function resumeWait(longestMs = LONGEST_RESUME_WAIT): number {
  return Math.round(longestMs / 10 + Math.random() * (longestMs - longestMs / 10))
}
