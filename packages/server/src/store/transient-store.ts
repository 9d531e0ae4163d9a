import type { Clock } from '@orrery/aip'
import type { SessionStore } from './session-store.js'

/** A store that keeps nothing, for transient sessions. */
export function transientStore(clock: Clock): SessionStore {
  return {
    takeLane: (name) => Promise.resolve({ name, epoch: 0, position: 0 }),
    releaseLane: () => Promise.resolve(),
    append: (_lane, runId, type, data) => Promise.resolve({ seq: 0, runId, type, time: clock.now(), data }),
    records: () => Promise.resolve([]),
    wholeRecords: () => Promise.resolve([]),
    find: () => Promise.resolve([]),
    summaries: () => Promise.resolve([]),
    value: () => Promise.resolve(undefined),
    prune: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  }
}
