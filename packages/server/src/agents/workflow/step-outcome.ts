import type { Result } from '@orrery/aip'
import type { WorkflowStep } from '@orrery/graph'
import { exitCodeOf, programFailure } from '../program-outcome.js'

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

/**
 * Returns the outcome of a call. A program that ended with a code other than 0, or did not end by itself, has failed.
 * @param okCodes exit codes that count as success, whatever the device says
 */
export function outcomeOf(called: Result, okCodes: WorkflowStep['ok-exit-codes']): StepOutcome {
  const { status, result, error } = called
  const code = exitCodeOf(called)
  if (code !== null && okCodes !== undefined && (okCodes === 'any' || okCodes.includes(code)))
    return stepOutcome('success', result)
  if (status !== 'success') return stepOutcome('failure', result, error)
  const failure = code !== null && okCodes !== undefined ? `the program ended with exit code ${code}` : programFailure(called)
  return failure === null ? stepOutcome('success', result, error) : stepOutcome('failure', result, failure)
}
