import type { Session, SessionStatus } from '@orrery/aip/api'
import type { RecordData, RecordType } from '@orrery/aip/records'

/**
 * The right to append to the sessions of one device: once an owner takes a lane, appends of earlier owners are refused.
 * `position` is the adapter's own; it moves with each append of this owner.
 */
export interface Lane {
  /** The id of the device. */
  readonly name: string
  /** Grows each time the lane is taken. */
  readonly epoch: number
  /** The end of the lane, as far as this owner knows. */
  position: number
}

/** One recorded step of a session, as it is stored: large values are references `{"$value": id, "bytes": n}`. */
export interface StoredRecord {
  seq: number
  runId: string
  type: RecordType
  /** Milliseconds since the epoch. */
  time: number
  data: Record<string, unknown>
}

/** Selects sessions, newest first. */
export interface SessionFilter {
  deviceId?: string | undefined
  /** How the session ended; the status of a session that has not ended matches none. */
  status?: SessionStatus | undefined
  runId?: string | undefined
  sessionId?: string | undefined
  taskName?: string | undefined
  /** Like `taskName`, without the tasks that devices have asked for themselves. */
  askedName?: string | undefined
  /** The constellation that has not acknowledged the end yet. */
  awaitedBy?: string | undefined
  /** Only sessions that have not ended (true), or have (false). */
  open?: boolean | undefined
  /** A run id: only older sessions. */
  before?: string | undefined
  limit?: number | undefined
}

/** The limits of pruning. */
export interface SessionPruneLimits {
  /** Deletes sessions that ended at least this many milliseconds ago. */
  maxAgeMs: number
  /** Deletes the oldest ended sessions until the store is no larger than this, in bytes. */
  maxBytes: number
  /** Deletes at most this many sessions at once: the store does nothing else meanwhile. */
  maxSessions: number
}

/** Stores sessions; a session is its records. Every method rejects with AipError `STORE_FAILED` if the store fails. */
export interface SessionStore {
  /** Becomes the owner of a lane. An earlier owner can no longer append. */
  takeLane(name: string): Promise<Lane>
  /** Releases a lane, if this is still its owner. */
  releaseLane(lane: Lane): Promise<void>
  /**
   * Adds a record; settles once it is committed. The labels of its session come from the record.
   * @throws AipError `STALE_OWNER` if another owner took the lane or it has moved, `STORE_FAILED`; nothing is recorded then
   */
  append<T extends RecordType>(lane: Lane, runId: string, type: T, data: RecordData[T]): Promise<StoredRecord>
  /** Returns the records of a session after `afterSeq`, in order; none for an unknown run. */
  records(runId: string, afterSeq?: number): Promise<StoredRecord[]>
  /** Returns {@link records} with large values in place of their references. */
  wholeRecords(runId: string): Promise<StoredRecord[]>
  /** Returns run ids, newest first. */
  find(filter: SessionFilter): Promise<string[]>
  /** Returns sessions as lists show them, newest first: without results, and with long requests cut. Reads no records. */
  summaries(filter: SessionFilter): Promise<Session[]>
  /** Returns a value that a record of this session refers to; undefined if it is unknown or gone. */
  value(runId: string, id: string): Promise<unknown>
  /** Deletes ended sessions, oldest first. @returns how many */
  prune(limits: SessionPruneLimits): Promise<number>
  /** Commits what waits and lets go of the store. */
  close(): Promise<void>
}
