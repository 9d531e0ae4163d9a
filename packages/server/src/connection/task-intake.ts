import { aipError, type ClientMessage } from '@orrery/aip'
import type { WorkflowLibrary } from '../agents/workflow/workflow-library.js'
import type { ClientConnectionManager, ClientInfo } from '../clients/client-connection-manager.js'
import type { Owner, Task } from '../sessions/task.js'

type TaskMessage = Extract<ClientMessage, { type: 'task' }>

/**
 * Turns a task message into a task, with the identity that the connection registered with.
 * @throws AipError `EMPTY_REQUEST`, `TARGET_REQUIRED`, `TARGET_NOT_CONNECTED`, `TARGET_NOT_A_DEVICE` or `TARGET_FORBIDDEN`,
 * or what is wrong with a workflow or its inputs
 */
export async function taskFrom(
  message: TaskMessage,
  client: ClientInfo,
  clients: ClientConnectionManager,
  workflows: WorkflowLibrary,
): Promise<Task> {
  const deviceId = client.clientType === 'device' ? ownDevice(message, client) : targetDevice(message, clients)
  if (message.request === null || message.request.trim() === '') throw aipError('EMPTY_REQUEST')
  return {
    sessionId: message.session_id || crypto.randomUUID(),
    taskName: sanitiseTaskName(message.task_name),
    deviceId,
    owner: {
      kind: client.clientType,
      client_id: client.clientId,
      resumes: client.clientType === 'constellation' && client.features.has('resume'),
    } satisfies Owner,
    requestId: message.request_id,
    work: await workflows.workOf(message.request),
    assigned: false,
    transient: false,
  }
}

function ownDevice({ target_id: target }: TaskMessage, { clientId }: ClientInfo): string {
  if (target !== null && target !== clientId) throw aipError('TARGET_FORBIDDEN')
  return clientId
}

function targetDevice({ target_id: target }: TaskMessage, clients: ClientConnectionManager): string {
  if (target === null || target === '') throw aipError('TARGET_REQUIRED')
  const info = clients.getClientInfo(target)
  if (info === undefined) throw aipError('TARGET_NOT_CONNECTED', { id: target })
  if (info.clientType !== 'device') throw aipError('TARGET_NOT_A_DEVICE')
  return target
}

/** A task name that is safe as a label; a fresh one if nothing is left (protocol reference, chapter 7). */
function sanitiseTaskName(name: string | null): string {
  const safe = (name ?? '').replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '')
  return safe === '' ? crypto.randomUUID() : safe
}

/** Whether the HTTP API takes a task name as it is. */
export function isTaskName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)
}
