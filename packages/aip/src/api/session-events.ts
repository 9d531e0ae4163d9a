import { z } from 'zod'
import { RecordType } from '../records/session-records.js'

/** One event of a session. */
export const SessionEvent = z
  .object({
    seq: z.number().int().nullable().describe('Null for progress, which is not recorded'),
    session_id: z.string(),
    time: z.string(),
    type: z.union([RecordType, z.literal('progress')]),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'SessionEvent', description: 'One event of a session' })
export type SessionEvent = z.infer<typeof SessionEvent>

/** Headers of a request for an event stream. */
export const EventStreamHeaders = z.looseObject({
  'last-event-id': z.string().optional().describe('Only events after this sequence number'),
})
