import { defineLimits, limit, limitValues } from '@orrery/aip'

/** The limits of the server `shell`. */
export const SHELL_LIMITS_TABLE = defineLimits({
  timeout: limit(60, 'seconds', 'A command, unless it asks for less or more.'),
  timeoutMost: limit(3600, 'seconds', 'A command at most.'),
  kept: limit(64 * 1024 * 1024, 'bytes', 'What is kept of one output in a file; what comes after is counted and dropped.'),
  inMemory: limit(64 * 1024, 'bytes', "What waits in memory of a job's output before it goes to a file."),
  read: limit(64 * 1024, 'bytes', 'What one read of an output gives unless it asks for less or more.'),
  readMost: limit(1024 * 1024, 'bytes', 'What one read of an output gives at most.'),
  wait: limit(60_000, 'ms', 'How long a read waits for more at most.'),
  jobs: limit(16, 'jobs', 'Jobs that run at a time.'),
  outputs: limit(64, 'outputs', 'Outputs that are kept after their program has ended; the oldest go first.'),
  input: limit(1024 * 1024, 'bytes', 'The standard input of one call.'),
  terminalColumns: limit(120, 'characters', 'The width of a pseudo-terminal.'),
  terminalRows: limit(40, 'lines', 'The height of a pseudo-terminal.'),
})

/** The values of {@link SHELL_LIMITS_TABLE} by name. */
export const SHELL_LIMITS = limitValues(SHELL_LIMITS_TABLE)
