/** Longest wait before another attempt to reach a server that resumes sessions, in seconds; the shortest is a tenth of it. */
const LONGEST_RESUME_WAIT = 5
/** Longest wait between two attempts, in seconds: the twelfth would be longer, and a timer cannot wait for the twenty-second. */
const LONGEST_WAIT = 3600

/** The wait after the n-th failure in a row, in seconds: 2^n (seed 000; contradictions, C-32). */
export function retryWait(failures: number): number {
  return Math.min(LONGEST_WAIT, 2 ** failures)
}

/** The wait for a server that resumes sessions, in seconds: short, and not the same for all devices that lost it at once. */
export function resumeWait(longest = LONGEST_RESUME_WAIT): number {
  return Math.round((longest / 10 + Math.random() * (longest - longest / 10)) * 1000) / 1000
}
