/** Longest wait between two attempts, in seconds: the twelfth would be longer, and a timer cannot wait for the twenty-second. */
const LONGEST_WAIT = 3600

/** The wait after the n-th failure in a row, in seconds: 2^n (seed 000; contradictions, C-32). */
export function retryWait(failures: number): number {
  return Math.min(LONGEST_WAIT, 2 ** failures)
}
