import { messageOf, sleep, type Clock, type HeartbeatProtocol, type Logger } from '@orrery/aip'

/**
 * Sends heartbeats, the first after one interval, until one cannot be sent or the signal aborts. Never throws.
 * @param options.intervalS seconds
 */
export async function heartbeatLoop(
  protocol: HeartbeatProtocol,
  options: { clientId: string; intervalS: number; clock: Clock; logger: Logger; signal?: AbortSignal | undefined },
): Promise<void> {
  const { clientId, intervalS, clock, logger, signal } = options
  for (;;) {
    await sleep(clock, intervalS * 1000, signal)
    if (signal?.aborted) return
    try {
      await protocol.sendHeartbeat(clientId)
      logger.debug('[WS] [AIP] Heartbeat sent')
    } catch (error) {
      logger.debug(`[WS] [AIP] Heartbeat failed (connection closed): ${messageOf(error)}`)
      return
    }
  }
}
