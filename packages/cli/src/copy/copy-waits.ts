import { hasEnded, waitText } from '@orrery/aip/api'
import type { OrreryApi } from '@orrery/constellation'

/** How many of the newest sessions are looked through. */
const NEWEST = 50

/**
 * Returns what says what a transfer waits for, in words; null if it does not wait, or the server does not say. The route of a file answers only when
 * its transfer begins, so its session is looked for among the newest.
 * @param tool that the session of the transfer calls
 */
export function copyWaits(api: OrreryApi, device: string, tool: 'send_file' | 'receive_file'): () => Promise<string | null> {
  const begun = Date.now()
  return async () => {
    const sessions = await api.sessions.list({ device_id: device, limit: NEWEST }).catch(() => [])
    const own = sessions.find(
      ({ status, request, created_at: created, waits_for: waits }) =>
        // The clock of the server may be another one.
        !hasEnded(status) && waits !== null && request.includes(tool) && Date.parse(created) > begun - 60_000,
    )
    return own?.waits_for ? waitText(own.waits_for, device) : null
  }
}
