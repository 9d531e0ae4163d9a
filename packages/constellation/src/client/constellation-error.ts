import { AipError, messageOf } from '@orrery/aip'

/**
 * Why a task, or a question about a device, came to nothing.
 *
 * - `DEVICE_UNKNOWN`: the device was not added to the client.
 * - `NOT_CONNECTED`: there is no connection to the device's server, and none is being made.
 * - `REFUSED`: the server does not take the request; the message has its text.
 * - `UNAUTHORIZED`: the server does not take the key.
 * - `DEVICE_DISCONNECTED`: the device dropped while the task ran.
 * - `CONNECTION_LOST`: the connection to the server was lost while the task ran, and the task cannot be taken up again.
 * - `TASK_FAILED`: the task ran and failed; `result` has what came out all the same.
 * - `TIMEOUT`: no answer in time.
 * - `CANCELLED`: the task was cancelled.
 * - `CLOSED`: the client was closed.
 */
export type ConstellationErrorCode =
  | 'DEVICE_UNKNOWN'
  | 'NOT_CONNECTED'
  | 'REFUSED'
  | 'UNAUTHORIZED'
  | 'DEVICE_DISCONNECTED'
  | 'CONNECTION_LOST'
  | 'TASK_FAILED'
  | 'TIMEOUT'
  | 'CANCELLED'
  | 'CLOSED'

/** A failure that concerns one device. `message` is one line that names the device and the reason. */
export class ConstellationError extends Error {
  override readonly name = 'ConstellationError'
  readonly code: ConstellationErrorCode
  readonly deviceId: string
  /** Why, without the device's name. */
  readonly reason: string
  /** What a failed task brought all the same; null if nothing. */
  readonly result: unknown

  constructor(code: ConstellationErrorCode, deviceId: string, reason: string, options?: ErrorOptions & { result?: unknown }) {
    super(`Device '${deviceId}': ${reason}`, options)
    this.code = code
    this.deviceId = deviceId
    this.reason = reason
    this.result = options?.result ?? null
  }
}

/**
 * What was thrown, as an error about a device.
 * @param otherwise the code of what has none of its own
 */
export function asConstellationError(
  error: unknown,
  deviceId: string,
  otherwise: 'REFUSED' | 'NOT_CONNECTED',
): ConstellationError {
  if (error instanceof ConstellationError) return error
  const reason = messageOf(error)
  return new ConstellationError(codeOf(error, otherwise), deviceId, reason, { cause: error })
}

function codeOf(error: unknown, otherwise: ConstellationErrorCode): ConstellationErrorCode {
  return (error instanceof AipError ? CODES.get(error.code) : undefined) ?? otherwise
}

/** Errors of the protocol that have a code of their own here. */
const CODES: ReadonlyMap<string, ConstellationErrorCode> = new Map([
  ['UNAUTHORIZED', 'UNAUTHORIZED'],
  ['NOT_CONNECTED', 'NOT_CONNECTED'],
  ['TIMEOUT', 'TIMEOUT'],
  ['CONNECTION_CLOSED', 'CONNECTION_LOST'],
  ['SEND_FAILED', 'CONNECTION_LOST'],
])
