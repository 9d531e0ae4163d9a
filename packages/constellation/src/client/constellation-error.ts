import { AipError, defineErrors, entry, messageOf } from '@orrery/aip'

interface Failure {
  id: string
  reason: string
}

const failure = (v: Failure): string => `Device '${v.id}': ${v.reason}`

/** Why a task, or a question about a device, failed. */
export const CONSTELLATION_ERRORS = defineErrors({
  DEVICE_UNKNOWN: entry<[Failure]>('The device was not added to the client.', failure),
  NOT_CONNECTED: entry<[Failure]>("There is no connection to the device's server, and none is being made.", failure),
  REFUSED: entry<[Failure]>('The server refused the request; the message has its text.', failure),
  UNAUTHORIZED: entry<[Failure]>('The server rejected the key.', failure),
  DEVICE_DISCONNECTED: entry<[Failure]>('The device dropped while the task ran.', failure),
  CONNECTION_LOST: entry<[Failure]>(
    'The connection to the server was lost while the task ran, and the task cannot be resumed.',
    failure,
  ),
  TASK_FAILED: entry<[Failure]>('The task ran and failed; `result` has what it produced.', failure),
  TIMEOUT: entry<[Failure]>('No answer in time.', failure),
  CANCELLED: entry<[Failure]>('The task was cancelled.', failure),
  CLOSED: entry<[Failure]>('The client was closed.', failure),
})

/** The code of a {@link ConstellationError}. */
export type ConstellationErrorCode = keyof typeof CONSTELLATION_ERRORS.entries

/** A failure that concerns one device. `message` is one line that names the device and the reason. */
export class ConstellationError extends Error {
  override readonly name = 'ConstellationError'
  readonly code: ConstellationErrorCode
  readonly deviceId: string
  /** Why, without the device's name. */
  readonly reason: string
  /** The result of a failed task, if it has one; otherwise null. */
  readonly result: unknown

  constructor(code: ConstellationErrorCode, deviceId: string, reason: string, options?: ErrorOptions & { result?: unknown }) {
    super(CONSTELLATION_ERRORS.text(code, { id: deviceId, reason }), options)
    this.code = code
    this.deviceId = deviceId
    this.reason = reason
    this.result = options?.result ?? null
  }
}

/**
 * Turns what was thrown into an error about a device.
 * @param otherwise the code for an error that has none of its own
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

/** Protocol errors that have a code of their own here. */
const CODES: ReadonlyMap<string, ConstellationErrorCode> = new Map([
  ['UNAUTHORIZED', 'UNAUTHORIZED'],
  ['NOT_CONNECTED', 'NOT_CONNECTED'],
  ['TIMEOUT', 'TIMEOUT'],
  ['CONNECTION_CLOSED', 'CONNECTION_LOST'],
  ['SEND_FAILED', 'CONNECTION_LOST'],
])
