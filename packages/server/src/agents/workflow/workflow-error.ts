import { aipError, type AipError } from '@orrery/aip'

/** One thing that is wrong with a workflow file. Line and column count from 1. */
export interface WorkflowProblem {
  line: number
  column: number
  message: string
}

/** All problems of a file as one error, one `file:line:column: reason` per line. */
export function workflowError(file: string, problems: readonly WorkflowProblem[]): AipError {
  const ordered = [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
  const detail = ordered.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n')
  return aipError('INVALID_WORKFLOW', { detail })
}
