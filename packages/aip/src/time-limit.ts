import type { Clock } from './clock.js'
import { aipError } from './errors.js'

/**
 * Waits for `work`, at most `ms` milliseconds and until `signal` aborts, and keeps the process alive meanwhile.
 * @param operation its name in the error
 * @throws AipError `TIMEOUT` at the limit, `TOOL_CANCELLED` at the abort; `work` then continues on its own, and its outcome is ignored
 */
export async function withTimeLimit<T>(
  work: Promise<T>,
  { clock, ms, operation, signal }: { clock: Clock; ms: number; operation: string; signal?: AbortSignal },
): Promise<T> {
  const over = Promise.withResolvers<never>()
  const timer = clock.wake(ms, () => over.reject(aipError('TIMEOUT', { operation, seconds: ms / 1000 })))
  const onAbort = (): void => over.reject(aipError('TOOL_CANCELLED'))
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  work.catch(() => {})
  over.promise.catch(() => {})
  try {
    return await Promise.race([work, over.promise])
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}
