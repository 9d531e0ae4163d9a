/** How a log is opened. */
export interface RecordLogOptions {
  /** What streams are looked up by: `[a-z_]+`. Each is an indexed column. */
  labels: readonly string[]
  /** `normal` survives a killed process, `full` a power cut too. Default `normal`. */
  durability?: 'normal' | 'full'
  /** Milliseconds since the epoch. Default the system's clock. */
  now?: () => number
  /** JSON of a value above this many bytes is stored out of line. Default 64 KiB. */
  inlineBytes?: number
  /** Reads what was recorded. Default: JSON.parse. */
  parse?: (text: string) => unknown
  /** Largest size of the file in bytes; beyond it appends fail with `FULL`. Default: what the disk holds. */
  maxFileBytes?: number
}

/** One record. `seq` grows over the whole log and is never reused, so a stream's records have gaps between them. */
export interface LogRecord {
  seq: number
  stream: string
  type: string
  /** Milliseconds since the epoch. */
  time: number
  data: unknown
}

/** A stream: all records of one name. It exists from its first record on. */
export interface StreamInfo {
  stream: string
  open: boolean
  firstSeq: number
  /** Milliseconds since the epoch. */
  createdAt: number
  labels: Record<string, string | null>
  /** What was last given as {@link AppendOptions.summary}; null if nothing was. */
  summary: unknown
}

/** What changes on the stream together with a record. */
export interface AppendOptions {
  /** Labels to set; others stay as they are. */
  labels?: Record<string, string | null>
  /** What lists show of the stream from now on, given the time of this record; JSON. */
  summary?: (time: number) => unknown
  /** False closes the stream, so that it may be pruned; true opens it again. Records may be added to both. */
  open?: boolean
}

/** Which streams to list, oldest first by default. */
export interface StreamQuery {
  /** Only the stream of this name. */
  stream?: string
  /** Labels that must have this value. */
  labels?: Record<string, string>
  open?: boolean
  /** Name of a stream: only those that began before it; none if it is not known. */
  before?: string
  limit?: number
  newestFirst?: boolean
}

/** What may stay. */
export interface PruneLimits {
  /** Streams that were closed at least this many milliseconds ago go. */
  maxAgeMs?: number
  /** Streams go until the log is not larger than this. */
  maxBytes?: number
  /** How many streams one call deletes at most; nothing else runs meanwhile. Default: all. */
  maxStreams?: number
}
