/** A timer that can be stopped. */
export interface Timer {
  /** Stops the timer; does nothing if it has fired or was stopped. */
  cancel(): void
}

/** The only source of time. Production code takes it as an argument, so that tests move time without touching real sockets. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `callback` once after `ms` milliseconds. For limits and upkeep: the timer does not keep the process alive. */
  after(ms: number, callback: () => void): Timer
  /** Like {@link after}, for what a caller awaits: the timer keeps the process alive, or the caller would never continue. */
  wake(ms: number, callback: () => void): Timer
}

interface Unreferable {
  unref?(): void
}

/** In a browser a timer is a number, which keeps nothing alive. */
function unref(handle: unknown): void {
  if (typeof handle === 'object' && handle !== null) (handle as Unreferable).unref?.()
}

/** A class, because each of thousands of connections has a timer, and a closure takes more memory. */
class SystemTimer implements Timer {
  readonly #handle: ReturnType<typeof setTimeout>

  constructor(handle: ReturnType<typeof setTimeout>) {
    this.#handle = handle
  }

  cancel(): void {
    clearTimeout(this.#handle)
  }
}

/** The system clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const handle = setTimeout(callback, ms)
    unref(handle)
    return new SystemTimer(handle)
  },
  wake: (ms, callback) => new SystemTimer(setTimeout(callback, ms)),
}

/**
 * Waits, and keeps the process alive meanwhile.
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
    const timer = clock.wake(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** Formats a time for the HTTP API: ISO-8601 in UTC with milliseconds. @param ms milliseconds since the epoch */
export function isoTime(ms: number): string {
  return written(ms).iso
}

/**
 * Formats a time for the wire: ISO-8601 in UTC with microseconds, e.g. `2026-11-20T23:38:04.243000+00:00`.
 * @param ms milliseconds since the epoch
 */
export function wireTime(ms: number): string {
  return written(ms).wire
}

/** Formats a time, keeping the last one: many messages share a millisecond, and formatting is comparatively slow. */
function written(ms: number): { iso: string; wire: string } {
  if (ms !== last.ms) {
    const iso = new Date(ms).toISOString()
    last = { ms, iso, wire: `${iso.slice(0, -1)}000+00:00` }
  }
  return last
}

let last = { ms: Number.NaN, iso: '', wire: '' }
