import type { ClientMessage } from '@orrery/aip'
import type { ClientInfo } from '../clients/client-connection-manager.js'
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
