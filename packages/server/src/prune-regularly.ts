import { messageOf, type Clock, type Logger } from '@orrery/aip'
import type { SessionStore } from './store/session-store.js'

/** How often ended sessions are pruned, in milliseconds. */
const INTERVAL = 10 * 60 * 1000
/** Sessions that are pruned at once, and the pause until the next of them, in milliseconds: the server answers in between. */
const AT_ONCE = 200
const PAUSE = 50
/** Size of the store above which the oldest ended sessions go, in bytes. */
const MAX_BYTES = 2 * 1024 ** 3

/** Prunes ended sessions that are older than `maxAgeMs`, again and again, a few at a time. */
export function pruneRegularly(options: { store: SessionStore; clock: Clock; logger: Logger; maxAgeMs: number }): {
  stop(): void
} {
  const { store, clock, logger, maxAgeMs } = options
  let stopped = false
  const prune = async (): Promise<void> => {
    let pruned = 0
    try {
      pruned = await store.prune({ maxAgeMs, maxBytes: MAX_BYTES, maxSessions: AT_ONCE })
      if (pruned > 0) logger.info(`Pruned ${pruned} ended session(s) from the event log`)
    } catch (error) {
      // A full disk has no room for that either.
      logger.warn(`Ended sessions could not be pruned: ${messageOf(error)}`)
    }
    if (!stopped) timer = clock.after(pruned === AT_ONCE ? PAUSE : INTERVAL, () => void prune())
  }
  let timer = clock.after(INTERVAL, () => void prune())
  return {
    stop() {
      stopped = true
      timer.cancel()
    },
  }
}
