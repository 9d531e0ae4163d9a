import { z } from 'zod'
import { Command } from '../messages/values.js'

/** What a task asks for. The whole of it is recorded before the task is acknowledged, and read back after a restart. */
export const Work = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('words'), request: z.string() }),
  /** `source` is the text of the file, `file` its name for messages, `inputs` have their defaults filled in. */
  z.object({
    kind: z.literal('workflow'),
    name: z.string(),
    file: z.string(),
    source: z.string(),
    inputs: z.record(z.string(), z.unknown()),
    called: z
      .record(z.string(), z.object({ file: z.string(), source: z.string() }))
      .optional()
      .describe('The workflows that it calls, by name in lower case'),
  }),
  /** Steps in words, each done by a model before the next; `object` is what they are about. */
  z.object({ kind: z.literal('plan'), task: z.string(), steps: z.array(z.string()), object: z.string().nullable() }),
  /** `concurrent`: beside the session that runs, and only what a trusted annotation calls read-only. */
  z.object({
    kind: z.literal('commands'),
    commands: z.array(Command),
    timeout_ms: z.number().optional(),
    concurrent: z.boolean().optional(),
  }),
])
export type Work = z.infer<typeof Work>

/** The principal that a session belongs to. */
export const Owner = z.object({
  kind: z.enum(['operator', 'device', 'constellation']),
  client_id: z.string().nullable().describe('The id that the client registered with; null for an operator'),
  resumes: z.boolean().default(false).describe('Whether the client can come back to its sessions after its connection was lost'),
})
export type Owner = z.infer<typeof Owner>
