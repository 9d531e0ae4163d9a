import type { ClientMessage } from '@orrery/aip'
import type { ClientInfo } from '../clients/client-connection-manager.js'
import { isServerError } from '../errors.js'

/**
 * Ends a refused task of an existing constellation client, which does not take an `error` for the answer to a task and would wait 1000 s. A live
 * session that has the same id is not ended by that.
 * @param text as the `error` has it
 */
export async function endRefusedTask(
  message: ClientMessage | null,
  client: ClientInfo,
  error: unknown,
  text: string,
): Promise<void> {
  const { clientType, features, taskProtocol } = client
  if (message?.type !== 'task' || clientType !== 'constellation' || features.size > 0) return
  if (message.session_id === null || message.session_id === '' || isServerError(error, 'SESSION_OWNED', 'SESSION_RUNNING')) return
  const end = {
    sessionId: message.session_id,
    status: 'failed',
    result: [],
    error: text,
    responseId: crypto.randomUUID(),
  } as const
  await taskProtocol.sendTaskEnd(end)
}
