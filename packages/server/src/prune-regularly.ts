import { messageOf, type Clock, type Logger } from '@orrery/aip'
import { SERVER_LIMITS } from './limits.js'
import type { SessionStore } from './store/session-store.js'

/** The pause after a pruning that leaves more to prune, in milliseconds. */
const PAUSE = 50

/** Repeatedly prunes ended sessions that are older than `maxAgeMs`, a few at a time. */
export function pruneRegularly(options: { store: SessionStore; clock: Clock; logger: Logger; maxAgeMs: number }): {
  stop(): void
} {
  const { store, clock, logger, maxAgeMs } = options
  let stopped = false
  const prune = async (): Promise<void> => {
    let pruned = 0
    try {
      pruned = await store.prune({ maxAgeMs, maxBytes: SERVER_LIMITS.eventLog, maxSessions: SERVER_LIMITS.prunedAtOnce })
      if (pruned > 0) logger.info(`Pruned ${pruned} ended session(s) from the event log`)
    } catch (error) {
      // A full disk has no room for that either.
      logger.warn(`Ended sessions could not be pruned: ${messageOf(error)}`)
    }
    if (!stopped) timer = clock.after(pruned === SERVER_LIMITS.prunedAtOnce ? PAUSE : SERVER_LIMITS.pruning, () => void prune())
  }
  let timer = clock.after(SERVER_LIMITS.pruning, () => void prune())
  return {
    stop() {
      stopped = true
      timer.cancel()
    },
  }
}
