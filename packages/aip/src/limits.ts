import { defineLimits, limit, limitValues } from './define-limits.js'

/** The limits of the protocol, and of what both ends share. */
export const LIMITS_TABLE = defineLimits({
  frameBeforeRegistration: limit(64 * 1024, 'bytes', 'A frame before the registration.'),
  frame: limit(100 * 1024 * 1024, 'bytes', 'A frame after the registration (seed 000: 100 MiB).'),
  deviceFrame: limit(
    8 * 1024 * 1024,
    'bytes',
    "A frame to a device of Orrery, which asks for this at its registration (`metadata.aip.max_frame`); Orrery's server refuses larger batches.",
  ),
  registrationTime: limit(10_000, 'ms', 'From the connection to the registration.'),
  unregisteredConnections: limit(200, 'connections', 'Connections that have not registered yet.'),
  actionsPerBatch: limit(1000, 'commands', 'Commands in one batch.'),
  concurrentBatches: limit(
    8,
    'commands',
    'Batches of concurrent reads that run on a device at once; others wait for their turn.',
  ),
  toolList: limit(4 * 1024 * 1024, 'bytes', 'The tools in a push of a device; of more, the last ones are left out and counted.'),
  waitingSessions: limit(100, 'sessions', 'Sessions that wait for one device.'),
  toolListTime: limit(2000, 'ms', 'A device that lists its tools only when asked has this long.'),
  concurrentSessions: limit(
    16,
    'sessions',
    'Sessions that only read and run beside the one that runs on a device; more wait in line.',
  ),
  knownDevices: limit(
    20_000,
    'devices',
    'Devices that a server knows; past it those that were seen longest ago, and are offline, are forgotten.',
  ),
  unsentData: limit(
    128 * 1024 * 1024,
    'bytes',
    'Data that a slow peer has not taken; past it the connection is closed with 1013.',
  ),
  waitingFrames: limit(
    256,
    'frames',
    'Frames that have arrived and were not taken; at this number no more are read from the socket.',
  ),
  waitingData: limit(
    16 * 1024 * 1024,
    'bytes',
    'Data that has arrived and was not taken; at this size no more is read from the socket.',
  ),
  nesting: limit(512, 'levels', 'Objects and lists within each other in one message.'),
  batchTime: limit(
    6_000_000,
    'ms',
    'A batch of commands, from the frame to its results (protocol reference, chapter 11: 6000 s).',
  ),
  toolTime: limit(6_000_000, 'ms', 'One tool call on a device (seed 000: up to 100 minutes).'),
  progressReports: limit(
    10,
    'messages',
    'Progress of one batch in a second; of more, the newest is sent when the second is over.',
  ),
  dispatchTime: limit(30_000, 'ms', "From the dispatch of a task to the device's own task."),
  cancelGrace: limit(2000, 'ms', 'A cancelled agent gets this long to end (protocol reference, chapter 6.10).'),
  resumeGrace: limit(120_000, 'ms', 'A device with the feature resume may be away for this long while its session waits.'),
  probeTime: limit(5000, 'ms', 'An old connection of an id that registers again has this long for a sign of life.'),
  resumeSilence: limit(
    30_000,
    'ms',
    'A connection with the feature resume without any answer for this long is dead; it is pinged three times as often.',
  ),
  recordRetry: limit(1000, 'ms', 'Until a server tries again to record the end of a session, when its disk had no room.'),
  drainTime: limit(5000, 'ms', 'Running sessions get this long to end when a server is told to stop.'),
  inlineValue: limit(64 * 1024, 'bytes', 'A result value above this is stored once and referenced from events.'),
  fileChunk: limit(1024 * 1024, 'bytes', 'A chunk of a file (protocol reference, chapter 10: 1 MiB).'),
  transferChunk: limit(256 * 1024, 'bytes', 'A chunk of a file between server and device.'),
  transferFrame: limit(2 * 1024 * 1024, 'bytes', 'A frame on the connection of a file transfer.'),
  transferStart: limit(
    240_000,
    'ms',
    "From the request for a file transfer to the device's connection for it, waits for permission included; its id is valid for the same time.",
  ),
  transferSilence: limit(180_000, 'ms', 'A file transfer on which nothing moves for this long ends.'),
  transferEnd: limit(10_000, 'ms', 'From the end of the bytes, or of the connection, to what the device says about its file.'),
  file: limit(16 * 1024 ** 3, 'bytes', 'A file that is received, unless its receiver says otherwise.'),
  fileName: limit(240, 'bytes', 'The name of a received file: file systems allow 255, and its `.part` file has 14 more.'),
  errorText: limit(4096, 'bytes', 'An error text that leaves a process; a tool may fail with megabytes of output.'),
})

/** The values of {@link LIMITS_TABLE} by name. */
export const LIMITS = limitValues(LIMITS_TABLE)

/** How many pings of a connection with the feature resume must stay unanswered before it counts as dead. */
export const PINGS_PER_SILENCE = 3

/** Which client ids are allowed. */
export const CLIENT_ID = /^[\w.@:-]{1,128}$/
