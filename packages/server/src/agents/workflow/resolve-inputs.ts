import { shownName } from '@orrery/aip'
import { complaintAbout } from './parse-workflow.js'
import type { WorkflowFile } from './workflow-schema.js'
import { serverError } from '../../errors.js'

/**
 * Returns the inputs of a run: the given ones, and the defaults of the others.
 * @throws AipError `INVALID_INPUTS` that lists each problem and what the workflow takes
 */
export function resolveInputs({ name, inputs }: WorkflowFile, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const problems: string[] = []
  for (const key of Object.keys(given)) if (!Object.hasOwn(inputs, key)) problems.push(`there is no input '${shownName(key)}'`)
  const values: Record<string, unknown> = {}
  for (const [key, input] of Object.entries(inputs)) {
    const value = Object.hasOwn(given, key) ? given[key] : input.default
    if (value === undefined) problems.push(`input '${key}' is required`)
    else {
      const complaint = complaintAbout(input, value)
      if (complaint !== null) problems.push(`input '${key}' ${complaint}`)
      values[key] = value
    }
  }
  if (problems.length === 0) return values
  const takes = Object.entries(inputs).map(
    ([key, input]) => `${key} (${input.type}${input.default === undefined ? ', required' : ''})`,
  )
  throw serverError('INVALID_INPUTS', {
    name,
    detail: problems.join('; '),
    takes: takes.length === 0 ? 'no inputs' : takes.join(', '),
  })
}
