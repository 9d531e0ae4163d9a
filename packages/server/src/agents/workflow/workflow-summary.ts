import type { WorkflowSummary } from '@orrery/aip/api'
import type { WorkflowFile } from '@orrery/graph'

/** Returns a workflow as lists show it. @param name by which it is called */
export function summaryOf(name: string, { description, inputs }: WorkflowFile): WorkflowSummary {
  return {
    name,
    description,
    inputs: Object.entries(inputs).map(([key, input]) => ({
      name: key,
      type: input.type,
      description: input.description ?? null,
      required: input.default === undefined,
      default: input.default ?? null,
    })),
  }
}
