import { AipError, logError, messageOf, type AIPProtocol, type ClientMessage, type Logger } from '@orrery/aip'
import type { ClientInfo } from '../clients/client-connection-manager.js'
import { isServerError, serverError } from '../errors.js'

/**
 * Answers a message that cannot be handled. Never throws.
 * @param message null if it cannot be read
 * @param log of the connection
 */
export async function answerRefused(
  message: ClientMessage | null,
  error: unknown,
  { client, aip, log }: { client: ClientInfo; aip: AIPProtocol<'server'>; log: Logger },
): Promise<void> {
  logError(log, `Error handling ${message?.type === 'task' ? 'task' : 'message'}`, error)
  const text = error instanceof AipError ? error.message : serverError('INTERNAL').message
  try {
    await aip.sendError(text)
    await endRefusedTask(message, client, error, text)
  } catch (failure) {
    log.debug(`Could not send error response: ${messageOf(failure)}`)
  }
}

/**
 * Ends a refused task of an existing constellation client, which does not take an `error` for the answer to a task and would wait 1000 s. A live
 * session that has the same id is not ended by that.
 * @param text as the `error` has it
 */
async function endRefusedTask(message: ClientMessage | null, client: ClientInfo, error: unknown, text: string): Promise<void> {
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
