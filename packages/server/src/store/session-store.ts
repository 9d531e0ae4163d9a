import type { RecordType, SessionStatus } from '@orrery/aip/api'

/** One recorded step of a session. */
export interface SessionRecord {
  seq: number
  runId: string
  type: RecordType
  /** Milliseconds since the epoch. */
  time: number
  data: Record<string, unknown>
}

/** What sessions are looked up by. */
export interface SessionLabels {
  session_id: string
  task_name: string
  device_id: string
  status: SessionStatus
  /** The constellation that has not acknowledged the end yet. */
  awaited_by: string | null
}

/** Which sessions a list asks for, newest first. */
export interface SessionFilter {
  deviceId?: string | undefined
  status?: SessionStatus | undefined
  sessionId?: string | undefined
  taskName?: string | undefined
  awaitedBy?: string | undefined
  /** Only those that have, or have not, ended. */
  open?: boolean | undefined
  /** A run id: only older ones. */
  before?: string | undefined
  limit?: number
}

/** Where sessions are kept: a session is its records. */
export interface SessionStore {
  /**
   * Adds a record; settles once it is committed.
   * @param labels what changes in the look-up; `ended` records also close the session
   * @throws AipError `STORE_FAILED` and nothing was recorded
   */
  append(runId: string, type: RecordType, data: Record<string, unknown>, labels?: Partial<SessionLabels>): Promise<SessionRecord>
  /** The records of a session after `afterSeq`, in order. Large values are references. */
  records(runId: string, afterSeq?: number): SessionRecord[]
  /** Run ids, newest first. */
  find(filter: SessionFilter): string[]
  /** Replaces the references to large values in a record's data by the values. */
  resolve(data: Record<string, unknown>): Record<string, unknown>
  /** The large value that a record of a session refers to by this id; undefined if none does. */
  value(runId: string, id: string): unknown
  /** Deletes what ended longer ago than `maxAgeMs`, and more if the file is larger than `maxBytes`; at most `maxStreams` sessions. @returns how many */
  prune(limits: { maxAgeMs: number; maxBytes: number; maxStreams: number }): number
  close(): Promise<void>
}
