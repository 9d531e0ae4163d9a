import { sleep } from '../clock.js'
import { messageOf } from '../define-errors.js'
import type { ClientType } from '../messages/values.js'
import type { HeartbeatProtocol } from '../protocol/heartbeat.js'

/**
 * Sends heartbeats, the first after one interval, until one cannot be sent or the signal aborts. Never throws.
 * @param options.intervalS seconds
 */
export async function heartbeatLoop(
  protocol: HeartbeatProtocol,
  options: { clientId: string; clientType: ClientType; intervalS: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const { clientId, clientType, intervalS, signal } = options
  const { clock, logger } = protocol.aip
  for (;;) {
    await sleep(clock, intervalS * 1000, signal)
    if (signal?.aborted) return
    try {
      await protocol.sendHeartbeat(clientId, clientType)
      logger.debug('[WS] [AIP] Heartbeat sent')
    } catch (error) {
      logger.debug(`[WS] [AIP] Heartbeat failed (connection closed): ${messageOf(error)}`)
      return
    }
  }
}
