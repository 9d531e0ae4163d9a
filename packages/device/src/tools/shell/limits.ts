/** The bounds of the server `shell`. */
export const SHELL_LIMITS = {
  /** Seconds after which a command is ended. */
  timeout: { min: 1, default: 60, max: 3600 },
  /** Bytes of one output that are kept in a file; what comes after is counted and dropped. */
  kept: 64 * 1024 * 1024,
  /** Bytes of a job's output that wait in memory before they go to a file. */
  inMemory: 64 * 1024,
  /** Bytes that one read of an output gives, unless less is asked for, and at most. */
  read: 64 * 1024,
  readMost: 1024 * 1024,
  /** Milliseconds for which a read waits for more at most. */
  wait: 60_000,
  /** Jobs that run at a time. */
  jobs: 16,
  /** Outputs that are kept after their program has ended; the oldest go first. */
  outputs: 64,
  /** Bytes of standard input of one call. */
  input: 1024 * 1024,
  /** Size of a pseudo-terminal in characters. */
  terminal: { columns: 120, rows: 40 },
} as const
