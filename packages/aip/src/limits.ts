/** The limits of the protocol. One table, in the code and in the documentation; all sizes in bytes, all times in milliseconds. */
export const LIMITS = {
  /** A frame before the registration. */
  frameBeforeRegistration: 64 * 1024,
  /** A frame after the registration (seed 000: 100 MiB). */
  frame: 100 * 1024 * 1024,
  /** From the connection to the registration. */
  registrationTime: 10_000,
  /** Connections that have not registered yet. */
  unregisteredConnections: 200,
  /** Commands in one batch. */
  actionsPerBatch: 1000,
  /** Sessions that wait for one device. */
  waitingSessions: 100,
  /** Data that a slow peer has not taken; past it the connection is closed with 1013. */
  unsentData: 128 * 1024 * 1024,
  /** A batch of commands, from the frame to its results (protocol reference, chapter 11: 6000 s). */
  batchTime: 6_000_000,
  /** One tool call on a device (seed 000: up to 100 minutes). */
  toolTime: 6_000_000,
  /** From the dispatch of a task to the device's own task. */
  dispatchTime: 30_000,
  /** A cancelled agent gets this long to end (protocol reference, chapter 6.10). */
  cancelGrace: 2000,
  /** A result value above this is stored once and referenced from events. */
  inlineValue: 64 * 1024,
  /** A chunk of a file (protocol reference, chapter 10: 1 MiB). */
  fileChunk: 1024 * 1024,
  /** A file that is received, unless its receiver says otherwise. */
  file: 16 * 1024 ** 3,
} as const

/** Which client ids are allowed. */
export const CLIENT_ID = /^[\w.@:-]{1,128}$/
