import { defineLimits, limit, limitValues } from './define-limits.js'

/** The limits of the protocol, and of what both ends share. */
export const LIMITS_TABLE = defineLimits({
  frameBeforeRegistration: limit(64 * 1024, 'bytes', 'A frame before the registration.'),
  frame: limit(100 * 1024 * 1024, 'bytes', 'A frame after the registration (seed 000: 100 MiB).'),
  message: limit(
    1024 * 1024,
    'bytes',
    'A message to the server, except the results of commands, which are checked beside the event loop above this size.',
  ),
  messageValues: limit(
    50_000,
    'values',
    'Values of all objects and lists in a message to the server, except results of commands.',
  ),
  objectKeys: limit(2000, 'keys', 'Keys of one object in a message to the server, except in results of commands.'),
  resultValues: limit(250_000, 'values', 'Values of all objects and lists in one result; one with more becomes a failure.'),
  resultKeys: limit(20_000, 'keys', 'Keys of one object in a result.'),
  resultsValues: limit(2_000_000, 'values', 'Values of all objects and lists in the results of a batch.'),
  resultsMemory: limit(1024 ** 3, 'bytes', 'Memory of the thread that checks large results.'),
  id: limit(
    512,
    'characters',
    'An id or a name in a message to the server: session ids of existing constellations begin with a client id of up to 256.',
  ),
  toolName: limit(256, 'characters', 'The name of a tool in a question of a device.'),
  shownName: limit(128, 'characters', 'How much of a name that a peer chose an error repeats.'),
  deviceFrame: limit(
    8 * 1024 * 1024,
    'bytes',
    "A frame to a device of Orrery, which asks for this at its registration (`metadata.aip.max_frame`); Orrery's server refuses larger batches.",
  ),
  shortKey: limit(16, 'characters', 'A server warns about an own key that is shorter: it can be guessed.'),
  registrationTime: limit(10_000, 'ms', 'From the connection to the registration.'),
  refusedConnection: limit(
    1000,
    'ms',
    'How long a peer that broke a limit may take to close; what it still sends is dropped meanwhile.',
  ),
  fragments: limit(64, 'fragments', 'Fragments of one message; a peer that sends more is closed with 1008.'),
  largeMessage: limit(
    16 * 1024 * 1024,
    'bytes',
    'A message of which more has arrived is large: a server limits how fast they come.',
  ),
  unfinishedMessage: limit(
    30_000,
    'ms',
    'How long a message that has begun may stay without progress; then its connection is closed with 1008.',
  ),
  actionsPerBatch: limit(1000, 'commands', 'Commands in one batch.'),
  concurrentBatches: limit(8, 'commands', 'Batches of concurrent reads that run on a device at once; others wait.'),
  toolList: limit(
    768 * 1024,
    'bytes',
    'The tools in a push of a device; the last ones of a longer list are left out and counted.',
  ),
  pushedTools: limit(2000, 'tools', 'Tools in a push of a device, and MCP servers; more are not read.'),
  waitingSessions: limit(100, 'sessions', 'Sessions that wait for one device.'),
  toolListTime: limit(2000, 'ms', 'The time in which a device that lists its tools only when asked must answer.'),
  concurrentSessions: limit(
    16,
    'sessions',
    'Sessions that only read and run alongside the running one of a device; others wait in line.',
  ),
  knownDevices: limit(
    20_000,
    'devices',
    'Devices that a server knows; beyond that, the offline devices that were seen longest ago are forgotten.',
  ),
  unsentData: limit(
    128 * 1024 * 1024,
    'bytes',
    'Unread data of a slow peer besides the largest frame; beyond that, the connection is closed with 1013.',
  ),
  unsentDataOfOthers: limit(8 * 1024 * 1024, 'bytes', 'The same for clients without the feature resume.'),
  waitingFrames: limit(
    256,
    'frames',
    'Frames that have arrived and wait to be processed; at this number, reading from the socket pauses.',
  ),
  waitingData: limit(
    16 * 1024 * 1024,
    'bytes',
    'Data that has arrived and waits to be processed; at this size, reading from the socket pauses.',
  ),
  nesting: limit(512, 'levels', 'Nesting of objects and lists in one message.'),
  batchTime: limit(
    6_000_000,
    'ms',
    'A batch of commands, from the frame to its results (protocol reference, chapter 11: 6000 s).',
  ),
  toolTime: limit(6_000_000, 'ms', 'One tool call on a device (seed 000: up to 100 minutes).'),
  progressReports: limit(
    10,
    'messages',
    'Progress reports of one batch per second; if there are more, the newest is sent at the end of the second.',
  ),
  dispatchTime: limit(30_000, 'ms', "From the dispatch of a task to the device's own task."),
  cancelGrace: limit(2000, 'ms', 'How long a cancelled agent may take to end (protocol reference, chapter 6.10).'),
  resumeGrace: limit(120_000, 'ms', 'How long a session waits for its device with the feature resume.'),
  probeTime: limit(5000, 'ms', 'How long an old connection may take to respond when its id registers again.'),
  resumeSilence: limit(
    30_000,
    'ms',
    'Silence after which a connection with the feature resume counts as dead; it is pinged three times in that time.',
  ),
  recordRetry: limit(1000, 'ms', 'The wait before a server retries to record the end of a session, for example on a full disk.'),
  drainTime: limit(5000, 'ms', 'How long running sessions may take to end when a server stops.'),
  inlineValue: limit(64 * 1024, 'bytes', 'A result value larger than this is stored once and referenced from events.'),
  fileChunk: limit(1024 * 1024, 'bytes', 'A chunk of a file (protocol reference, chapter 10: 1 MiB).'),
  transferChunk: limit(256 * 1024, 'bytes', 'A chunk of a file between server and device.'),
  transferFrame: limit(2 * 1024 * 1024, 'bytes', 'A frame on the connection of a file transfer.'),
  transferStart: limit(
    240_000,
    'ms',
    "From the request for a file transfer to the device's connection for it, waits for permission included; its id is valid for the same time.",
  ),
  transferSilence: limit(180_000, 'ms', 'Silence after which a file transfer is ended.'),
  transferEnd: limit(10_000, 'ms', "From the end of the bytes, or of the connection, to the device's report about its file."),
  terminalSize: limit(1000, 'characters', 'The width of an interactive terminal, and its height in lines.'),
  terminalWord: limit(16 * 1024, 'characters', 'The program of an interactive terminal, its folder, and each of its arguments.'),
  terminalWords: limit(1000, 'words', 'Arguments of the program of an interactive terminal.'),
  terminalStart: limit(
    10_000,
    'ms',
    "From an operator's connection for a terminal to its first message, and from there to the device's connection; approval is waited for after that.",
  ),
  terminalsOfDevice: limit(16, 'terminals', 'Interactive terminals of one device at once.'),
  file: limit(16 * 1024 ** 3, 'bytes', 'A received file, unless its receiver sets another limit.'),
  fileName: limit(240, 'bytes', 'The name of a received file: file systems allow 255, and its `.part` file has 14 more.'),
  comparedName: limit(64, 'characters', 'A name that is compared with others to suggest what was meant.'),
  askedCall: limit(
    32 * 1024,
    'characters',
    'A call that waits for approval, as it is shown; a longer one is denied, because it cannot be shown whole.',
  ),
  errorText: limit(4096, 'bytes', 'An error text sent to another process; a tool may fail with megabytes of output.'),
})

/** The values of {@link LIMITS_TABLE} by name. */
export const LIMITS = limitValues(LIMITS_TABLE)

/** How many unanswered pings make a connection with the feature resume count as dead. */
export const PINGS_PER_SILENCE = 3

/** Which ids devices may have. */
export const CLIENT_ID = /^[\w.@:-]{1,128}$/

/**
 * Which ids constellations may have: existing ones are named after their tasks, in any language. Such an id is only a key: it is never part of a
 * path, and it has no control characters, so that it is safe in a log.
 */
export const CONSTELLATION_ID = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u
