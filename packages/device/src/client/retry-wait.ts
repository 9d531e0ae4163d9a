/** Bounds of the wait before another attempt to reach a server that resumes sessions, in milliseconds (design, "Extensions"). */
const RESUME_WAIT = { least: 500, most: 5000 } as const
/** Longest wait between two attempts, in seconds: the twelfth would be longer, and a timer cannot wait for the twenty-second. */
const LONGEST_WAIT = 3600

/** The wait after the n-th failure in a row, in seconds: 2^n (seed 000; contradictions, C-32). */
export function retryWait(failures: number): number {
  return Math.min(LONGEST_WAIT, 2 ** failures)
}

/** The wait for a server that resumes sessions, in seconds: short, and not the same for all devices that lost it at once. */
export function resumeWait(): number {
  return Math.round(RESUME_WAIT.least + Math.random() * (RESUME_WAIT.most - RESUME_WAIT.least)) / 1000
}
