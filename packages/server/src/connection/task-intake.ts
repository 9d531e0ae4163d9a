import { type ClientMessage } from '@orrery/aip'
import type { Work } from '@orrery/aip/records'
import type { ClientConnectionManager, ClientInfo } from '../clients/client-connection-manager.js'
import { ownerOf } from '../identity/principal.js'
import type { WantedTask } from '../sessions/task.js'
import { safeTaskName } from '../sessions/task-name.js'
import { serverError } from '../errors.js'

type TaskMessage = Extract<ClientMessage, { type: 'task' }>

/**
 * Turns a task message into a task, with the identity that the connection registered with.
 * @throws AipError `EMPTY_REQUEST`, `INVALID_TASK_ID`, `TARGET_REQUIRED`, `TARGET_NOT_CONNECTED`, `TARGET_NOT_A_DEVICE`, `TARGET_FORBIDDEN` or `TARGET_OUT_OF_SCOPE`
 */
export function taskFrom(
  message: TaskMessage,
  client: ClientInfo,
  clients: ClientConnectionManager,
  workOf: (request: string) => Promise<Work>,
): WantedTask {
  const deviceId = client.clientType === 'device' ? ownDevice(message, client) : targetDevice(message, client, clients)
  const { request } = message
  if (request === null || request.trim() === '') throw serverError('EMPTY_REQUEST')
  return {
    sessionId: readableId('session_id', message.session_id) || crypto.randomUUID(),
    taskName: safeTaskName(message.task_name),
    deviceId,
    owner: ownerOf(client.principal),
    requestId: readableId('request_id', message.request_id),
    work: () => workOf(request),
    assigned: false,
  }
}

/** Returns an id of a task, which is kept and listed. @throws AipError `INVALID_TASK_ID` */
function readableId(field: string, id: string | null): string | null {
  if (id !== null && /[\p{C}\p{Zl}\p{Zp}]/u.test(id)) throw serverError('INVALID_TASK_ID', { field })
  return id
}

function ownDevice({ target_id: target }: TaskMessage, { clientId }: ClientInfo): string {
  if (target && target !== clientId) throw serverError('TARGET_FORBIDDEN')
  return clientId
}

function targetDevice({ target_id: target }: TaskMessage, { scope }: ClientInfo, clients: ClientConnectionManager): string {
  if (target === null || target === '') throw serverError('TARGET_REQUIRED')
  // Before any look-up, so that a constellation learns nothing about other devices.
  if (scope !== null && target !== scope) throw serverError('TARGET_OUT_OF_SCOPE')
  const info = clients.getClientInfo(target)
  if (info === undefined) throw serverError('TARGET_NOT_CONNECTED', { id: target })
  if (info.clientType !== 'device') throw serverError('TARGET_NOT_A_DEVICE')
  return target
}
