import { z } from 'zod'
import { body } from './body.js'
import { CommandInput } from './devices.js'

/** A new session: exactly one of `request` (words), `workflow` (its name, or the text of a file) and `commands`. */
export const CreateSession = body({
  device_id: z.string().min(1),
  request: z.string().optional().describe('A task in words, or `workflow:NAME {inputs}`'),
  workflow: z
    .string()
    .optional()
    .describe('A workflow by its name, as `GET /api/workflows` lists it, or the text of a workflow file'),
  commands: z.array(CommandInput).min(1).max(1000).optional(),
  concurrent: z
    .boolean()
    .optional()
    .describe('Run the commands beside the running session; the device refuses what is not trusted to be read-only'),
  inputs: z.record(z.string(), z.unknown()).optional().describe('Inputs of the workflow'),
  file: z.string().max(255).optional().describe('The name of the workflow file, for error messages'),
  task_name: z.string().optional(),
})
  .refine(({ request, workflow, commands }) => [request, workflow, commands].filter((part) => part !== undefined).length === 1, {
    message: 'exactly one of request, workflow and commands must be given',
  })
  .refine(({ commands, concurrent }) => concurrent !== true || commands !== undefined, {
    message: 'concurrent is only for commands',
  })
export type CreateSession = z.input<typeof CreateSession>
