import { WORKFLOW_NAME, type WorkflowFile } from '@orrery/graph'

/** Returns the name by which a workflow is called: its own, else that of its file; null if neither can be called. */
export function workflowName({ name }: WorkflowFile, file: string): string | null {
  if (name !== undefined) return name
  const stem = file.replace(/^.*[\\/]/, '').replace(/\.ya?ml$/i, '')
  return WORKFLOW_NAME.test(stem) && stem.length <= 64 ? stem : null
}
