import { z } from 'zod'

/** A workflow that the server knows, and the inputs that it takes. */
export const WorkflowSummary = z
  .object({
    name: z.string(),
    description: z.string(),
    inputs: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        description: z.string().nullable(),
        required: z.boolean(),
        default: z.unknown(),
      }),
    ),
  })
  .meta({ id: 'WorkflowSummary', description: 'A workflow that can be called by name' })
export type WorkflowSummary = z.infer<typeof WorkflowSummary>

export const WorkflowList = z.object({ workflows: z.array(WorkflowSummary) })
