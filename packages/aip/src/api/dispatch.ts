import { z } from 'zod'

/** Body of a dispatch. Errors in it get the texts that existing peers know, so the schema refuses nothing and only documents the types. */
export const Dispatch = z.looseObject({
  client_id: z.unknown().optional().meta({ type: 'string', description: 'The device' }),
  request: z.unknown().optional().meta({ type: 'string', description: 'The task, in words' }),
  task_name: z.unknown().optional().meta({ type: 'string', description: 'Default: a UUID' }),
})

/** A dispatch that was sent to its device. */
export const DispatchOutcome = z.object({
  status: z.literal('dispatched'),
  task_name: z.string(),
  client_id: z.string(),
  session_id: z.string(),
})

/** The outcome of a dispatched task. */
export const TaskResult = z.discriminatedUnion('status', [
  z.object({ status: z.literal('pending') }),
  z.object({ status: z.literal('done'), result: z.unknown() }),
])
