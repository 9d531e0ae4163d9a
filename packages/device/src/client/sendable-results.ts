import { LIMITS, errorText, messageOf, type Result } from '@orrery/aip'
import { DEVICE_LIMITS } from '../limits.js'

/**
 * Returns the results as they fit into one frame: a value that is not JSON, and values that would make the frame longer than its limit, become
 * failures that say so. The largest give way first.
 */
export function sendableResults(results: readonly Result[]): Result[] {
  const sized = results.map((result) => measure(result))
  let total = sized.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const entry of sized.toSorted((a, b) => b.bytes - a.bytes)) {
    if (total <= LIMITS.frame - DEVICE_LIMITS.resultEnvelope) break
    total -= entry.bytes
    Object.assign(entry, measure(failed(entry.result, errorText('MESSAGE_TOO_LARGE', { limit: LIMITS.frame }))))
    total += entry.bytes
  }
  return sized.map(({ result }) => result)
}

function measure(result: Result): { result: Result; bytes: number } {
  try {
    return { result, bytes: Buffer.byteLength(JSON.stringify(result)) }
  } catch (error) {
    const failure = failed(result, `The result cannot be sent: ${messageOf(error)}`)
    return { result: failure, bytes: Buffer.byteLength(JSON.stringify(failure)) }
  }
}

function failed(result: Result, error: string): Result {
  // A failure keeps its own reason.
  const reasons = result.status === 'failure' && result.error !== null ? [result.error, error] : [error]
  return { ...result, status: 'failure', result: null, error: reasons.join('. ') }
}
