import type { Session, SessionStatus } from '@orrery/aip/api'
import type { RecordData, RecordType } from '@orrery/aip/records'

/**
 * The right to append to the sessions of one device: an owner takes a lane, and from then on what an earlier owner appends is refused.
 * `position` is the adapter's own; it moves with each append of this owner.
 */
export interface Lane {
  /** The id of the device. */
  readonly name: string
  /** Grows each time that the lane is taken. */
  readonly epoch: number
  /** Where the lane ends as far as this owner knows. */
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

/** Which sessions are meant, newest first. */
export interface SessionFilter {
  deviceId?: string | undefined
  /** How it ended; a status of sessions that have not ended finds none. */
  status?: SessionStatus | undefined
  runId?: string | undefined
  sessionId?: string | undefined
  taskName?: string | undefined
  /** The constellation that has not acknowledged the end yet. */
  awaitedBy?: string | undefined
  /** Only those that have not ended (true), or have (false). */
  open?: boolean | undefined
  /** A run id: only older ones. */
  before?: string | undefined
  limit?: number | undefined
}

/** What may stay when sessions are pruned. */
export interface SessionPruneLimits {
  /** Sessions that ended at least this many milliseconds ago go. */
  maxAgeMs: number
  /** The oldest ended sessions go until the store is not larger than this. */
  maxBytes: number
  /** At most this many sessions go at once: nothing else is done meanwhile. */
  maxSessions: number
}

/** Where sessions are kept: a session is its records. Every method rejects with AipError `STORE_FAILED` when the store cannot do it. */
export interface SessionStore {
  /** Becomes the owner of a lane. Whoever had it can append no more. */
  takeLane(name: string): Promise<Lane>
  /** Gives a lane back, if this is still its owner. */
  releaseLane(lane: Lane): Promise<void>
  /**
   * Adds a record; settles once it is committed. What lists are looked up by comes from the record.
   * @throws AipError `STALE_OWNER` if the lane was taken by another or has moved, `STORE_FAILED`; nothing was recorded then
   */
  append<T extends RecordType>(lane: Lane, runId: string, type: T, data: RecordData[T]): Promise<StoredRecord>
  /** The records of a session after `afterSeq`, in order; none for an unknown run. */
  records(runId: string, afterSeq?: number): Promise<StoredRecord[]>
  /** As {@link records}, with large values in place of their references. */
  wholeRecords(runId: string): Promise<StoredRecord[]>
  /** Run ids, newest first. */
  find(filter: SessionFilter): Promise<string[]>
  /** The sessions as lists show them, newest first: without results, and with long requests cut. It reads no records. */
  summaries(filter: SessionFilter): Promise<Session[]>
  /** A value that a record of this session refers to; undefined when it is unknown or gone. */
  value(runId: string, id: string): Promise<unknown>
  /** Deletes ended sessions, oldest first. @returns how many */
  prune(limits: SessionPruneLimits): Promise<number>
  /** Commits what waits and lets go of the store. */
  close(): Promise<void>
}
