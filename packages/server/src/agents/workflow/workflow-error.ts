import { type AipError } from '@orrery/aip'
import { describeProblems, type FileProblem } from '@orrery/graph'
import { serverError } from '../../errors.js'

/** All problems of a workflow file as one error. */
export function workflowError(file: string, problems: readonly FileProblem[]): AipError {
  return serverError('INVALID_WORKFLOW', { detail: describeProblems(file, problems) })
}
