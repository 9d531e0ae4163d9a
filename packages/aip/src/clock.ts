/** A timer that can be stopped. */
export interface Timer {
  /** Stops the timer; does nothing when it has fired or was stopped before. */
  cancel(): void
}

/** The one source of time. Production code takes it as an argument, so tests move time without touching real sockets. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `callback` once after `ms` milliseconds. The timer never keeps the process alive. */
  after(ms: number, callback: () => void): Timer
}

interface Unreferable {
  unref?(): void
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const handle: unknown = setTimeout(callback, ms)
    if (typeof handle === 'object' && handle !== null) (handle as Unreferable).unref?.()
    return { cancel: () => clearTimeout(handle as number) }
  },
}

/**
 * Waits.
 * @param ms how long, in milliseconds
 * @param signal ends the wait early, without an error
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = (): void => {
      timer.cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** Longest wait before another attempt to reach a server that resumes sessions, in milliseconds; the shortest is a tenth of it (design, "Extensions"). */
const LONGEST_RESUME_WAIT = 5000

/**
 * The wait before another attempt to reach a server that resumes sessions, in milliseconds: short, and not the same for all clients
 * that lost it at once.
 */
export function resumeWait(longestMs = LONGEST_RESUME_WAIT): number {
  return Math.round(longestMs / 10 + Math.random() * (longestMs - longestMs / 10))
}

/**
 * A time as the wire writes it: ISO-8601 in UTC with microseconds, e.g. `2026-11-20T23:38:04.243000+00:00`.
 * @param ms milliseconds since the epoch
 */
export function wireTime(ms: number): string {
  // Many messages are sent in one millisecond.
  if (ms === last.ms) return last.text
  last = { ms, text: `${new Date(ms).toISOString().slice(0, -1)}000+00:00` }
  return last.text
}

let last = { ms: Number.NaN, text: '' }
