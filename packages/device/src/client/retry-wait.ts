import { DEVICE_LIMITS } from '../limits.js'

/** The wait after the n-th failure in a row, in seconds: 2^n (seed 000; contradictions, C-32). */
export function retryWait(failures: number): number {
  // The twelfth would be longer, and a timer cannot wait for the twenty-second.
  return Math.min(DEVICE_LIMITS.reconnectWait / 1000, 2 ** failures)
}
