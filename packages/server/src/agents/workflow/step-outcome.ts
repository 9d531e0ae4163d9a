import type { Result } from '@orrery/aip'

/** What a later step sees of an earlier one, as `steps.ID`. */
export interface StepOutcome {
  status: 'success' | 'failure' | 'skipped'
  /** The same, as GitHub calls it: `outcome` is how the step ended, `conclusion` what counts, after continue-on-error. */
  outcome: 'success' | 'failure' | 'skipped'
  conclusion: 'success' | 'failure' | 'skipped'
  result: unknown
  error: string | null
}

/** Makes the outcome of a step. */
export function stepOutcome(status: StepOutcome['status'], result: unknown = null, error: string | null = null): StepOutcome {
  return { status, outcome: status, conclusion: status, result, error }
}

/** Returns the outcome of a call. */
export function outcomeOf({ status, result, error }: Result): StepOutcome {
  return stepOutcome(status === 'success' ? 'success' : 'failure', result, error)
}
