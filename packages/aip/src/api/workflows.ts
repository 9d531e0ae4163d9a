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

/** A file in the folder of workflows that has mistakes. */
export const InvalidWorkflow = z
  .object({
    file: z.string().describe('The name of the file'),
    problems: z.array(z.string()).describe('Its mistakes, each as file:line:column: text'),
  })
  .meta({ id: 'InvalidWorkflow', description: 'A file in the folder of workflows that cannot be run' })
export type InvalidWorkflow = z.infer<typeof InvalidWorkflow>

export const WorkflowList = z.object({
  workflows: z.array(WorkflowSummary),
  invalid: z.array(InvalidWorkflow).default([]).describe('Files in the folders that have mistakes'),
})
