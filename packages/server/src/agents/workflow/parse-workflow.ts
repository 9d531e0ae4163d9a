import { readWorkflow, type WorkflowFile } from '@orrery/graph'
import { workflowError } from './workflow-error.js'
import { SERVER_LIMITS } from '../../limits.js'

/** The valid workflows that were read last, by their text: the same one is read when it is accepted, when it runs, and after a restart. */
const PARSED = new Map<string, WorkflowFile>()

/**
 * Reads a workflow file.
 * @param file its name, for messages
 * @throws AipError `INVALID_WORKFLOW` that lists each mistake with its line and column
 */
export function parseWorkflow(text: string, file: string): WorkflowFile {
  const known = PARSED.get(text)
  if (known !== undefined) return known
  const reading = readWorkflow(text)
  if ('problems' in reading) throw workflowError(file, reading.problems)
  const [oldest] = PARSED.keys()
  if (oldest !== undefined && PARSED.size >= SERVER_LIMITS.parsedWorkflows) PARSED.delete(oldest)
  PARSED.set(text, reading.workflow)
  return reading.workflow
}
