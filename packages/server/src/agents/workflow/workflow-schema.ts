import { z } from 'zod'

/** A name of a workflow, an input or a step. */
const NAME = /^[a-z][a-z0-9_-]{0,63}$/i

/** An input: its purpose, type and default. Without a default it is required. */
export const WorkflowInput = z.strictObject({
  type: z.enum(['string', 'number', 'boolean', 'array', 'object']).default('string').describe('Type of the value'),
  description: z.string().optional().describe('What the input is for; shown in lists'),
  default: z.unknown().optional().describe('Value when none is given; without it the input is required'),
  options: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional()
    .describe('The allowed values'),
})
export type WorkflowInput = z.infer<typeof WorkflowInput>

/** A step: one tool call, or one for each item of a list. Texts may contain `${{ }}` expressions. */
export const WorkflowStep = z.strictObject({
  id: z.string().regex(NAME).optional().describe('Name under which later steps find the result: steps.ID.result'),
  name: z.string().optional().describe('What the step does; shown while it runs'),
  tool: z
    .string()
    .regex(/^((action|data_collection)::)?[\w.-]+$/)
    .describe('Name of the tool, or type::name'),
  with: z.record(z.string(), z.unknown()).default({}).describe('Arguments of the tool'),
  if: z.union([z.string(), z.boolean()]).optional().describe('The step runs only if this expression is true'),
  foreach: z
    .union([z.string(), z.array(z.unknown())])
    .optional()
    .describe('A list; the step runs once for each item, which it sees as item and index'),
  retry: z
    .strictObject({
      times: z.number().int().min(1).max(100).describe('How often a failed call is retried'),
      wait_ms: z.number().int().min(0).max(3_600_000).default(1000).describe('Wait before each retry, in milliseconds'),
    })
    .optional()
    .describe('Retries a failed call'),
  'continue-on-error': z.boolean().default(false).describe('A failure of this step does not end the workflow'),
  timeout_ms: z.number().int().min(1).max(6_000_000).optional().describe('How long one call may take, in milliseconds'),
  agent: z
    .string()
    .optional()
    .describe('Agent name of the command, which selects tools on existing devices; default: that of the workflow'),
  process: z.string().optional().describe('Process name of the command'),
  root: z.string().optional().describe('Root name of the command'),
})
export type WorkflowStep = z.infer<typeof WorkflowStep>

/** A workflow file. */
export const WorkflowFile = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    .max(64)
    .describe('Name by which it is called: lower-case letters, digits and dashes'),
  description: z.string().min(1).describe('What it does, in a sentence'),
  inputs: z.record(z.string().regex(NAME), WorkflowInput).default({}).describe('Its inputs'),
  agent: z
    .string()
    .optional()
    .describe(
      "Agent name of all its commands, such as FollowerAgent; default: the server's setting, else that of the device's platform",
    ),
  steps: z.array(WorkflowStep).min(1).max(200).describe('What it does, in order'),
  result: z.unknown().optional().describe('What comes out: any value with expressions; default: the results of the steps by id'),
})
export type WorkflowFile = z.infer<typeof WorkflowFile>
