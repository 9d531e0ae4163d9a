import { SilenceWatch, type Clock, type Logger } from '@orrery/aip'
import type { ClientInfo } from '../clients/client-connection-manager.js'

/**
 * Drops a client that is silent for too long (seed 004: 2 to 3 missed heartbeats).
 * @param limit in milliseconds; without one a client may be silent
 */
export function watchSilence(
  { clientId, transport }: ClientInfo,
  limit: number | undefined,
  clock: Clock,
  logger: Logger,
): SilenceWatch | null {
  if (limit === undefined) return null
  const watch = new SilenceWatch(clock, limit, () => {
    logger.warn(`[WS] ${clientId} was silent for ${limit / 1000} s`)
    transport.terminate()
  })
  watch.heard()
  return watch
}
