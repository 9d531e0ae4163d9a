import { systemClock, type Clock } from '../clock.js'
import { LIMITS } from '../limits.js'
import type { SharedBudget } from './shared-budget.js'

/** Settings of a connection, in milliseconds and bytes. */
export interface WebSocketSettings {
  /** Time between two pings (seed 000: 20 s). */
  pingIntervalMs: number
  /** Silence after which a connection counts as dead (seed 000: 180 s). */
  pongTimeoutMs: number
  /** How long a closing handshake may take (seed 000: 10 s). */
  closeTimeoutMs: number
  /** Largest frame that is read. */
  maxFrameBytes: number
  /** Unsent data, besides the largest frame, at which a connection is closed with 1013. */
  maxUnsentBytes: number
  /** What all connections may hold together; null if nothing bounds it. */
  budget: SharedBudget | null
  /** Text frames above this size are delivered as their bytes: making a text of them takes time, which a worker has. */
  maxTextBytes: number
  clock: Clock
}

/** The settings of the seeds for a device (seed 000, connection parameters). */
export const DEVICE_SOCKET: WebSocketSettings = {
  pingIntervalMs: 20_000,
  pongTimeoutMs: 180_000,
  closeTimeoutMs: 10_000,
  maxFrameBytes: LIMITS.frame,
  maxUnsentBytes: LIMITS.unsentData,
  budget: null,
  maxTextBytes: Infinity,
  clock: systemClock,
}

/** The settings of existing constellation clients (protocol reference, chapter 1). */
export const CONSTELLATION_SOCKET: WebSocketSettings = { ...DEVICE_SOCKET, pingIntervalMs: 30_000 }

/**
 * The settings of both ends of a file transfer. A ping waits behind the bytes that are on their way, so silence means little here; a transfer that
 * makes no progress is ended by `LIMITS.transferSilence`.
 */
export const TRANSFER_SOCKET: WebSocketSettings = {
  ...DEVICE_SOCKET,
  pongTimeoutMs: 4 * LIMITS.transferSilence,
  maxFrameBytes: LIMITS.transferFrame,
}
