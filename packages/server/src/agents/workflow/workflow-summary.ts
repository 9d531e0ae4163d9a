import type { WorkflowSummary } from '@orrery/aip/api'
import type { WorkflowFile } from './workflow-schema.js'

/** A workflow as lists show it. */
export function summaryOf({ name, description, inputs }: WorkflowFile): WorkflowSummary {
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
