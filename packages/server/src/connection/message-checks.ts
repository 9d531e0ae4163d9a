import { aipError, type ClientMessage } from '@orrery/aip'
import type { ClientInfo } from '../clients/client-connection-manager.js'
import type { LiveSessions } from '../sessions/live-sessions.js'
import { serverError } from '../errors.js'

/**
 * Checks that a message may come from this client.
 * The client type `device` is the default on the wire, so a constellation may send it with a heartbeat (C-22).
 * @throws AipError `TASK_CLIENT_ID_REQUIRED`, `CLIENT_ID_MISMATCH` or `CLIENT_TYPE_MISMATCH`
 */
export function checkIdentity(message: ClientMessage, { clientId, clientType }: ClientInfo): void {
  // Seed 004 asks for the id with a task; existing peers leave it out of some other messages.
  if (!message.client_id && message.type === 'task') throw serverError('TASK_CLIENT_ID_REQUIRED')
  if (message.client_id !== null && message.client_id !== '' && message.client_id !== clientId)
    throw serverError('CLIENT_ID_MISMATCH')
  if (message.client_type === clientType) return
  if (message.type === 'heartbeat' && message.client_type === 'device') return
  throw serverError('CLIENT_TYPE_MISMATCH')
}

/** What a device pushes is kept for as long as it is known, so it is bounded. @throws AipError `MESSAGE_TOO_LARGE` */
export function assertFits(value: unknown, limit: number): void {
  if (JSON.stringify(value).length > limit) throw aipError('MESSAGE_TOO_LARGE', { limit })
}

/** Returns whether the server waits for a message: results of a batch, progress of a running call, the receipt of an end. */
export function isExpected(message: ClientMessage, { clientId, unacknowledged }: ClientInfo, live: LiveSessions): boolean {
  const { type, session_id: sessionId } = message
  if (sessionId === null) return false
  if (type === 'task_end') return unacknowledged.delete(sessionId)
  if (type !== 'command_results' && type !== 'progress') return false
  const session = live.get(sessionId)
  if (session === undefined || session.task.deviceId !== clientId) return false
  if (type === 'progress') return session.dispatcher.toolOf(message.call_id) !== undefined
  return message.prev_response_id !== null && session.dispatcher.awaits(message.prev_response_id)
}
