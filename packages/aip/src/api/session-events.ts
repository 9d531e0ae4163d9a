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

/** Which part of a session's log is wanted. */
export const LogQuery = z.object({
  after: z.coerce.number<number>().int().min(0).default(0).describe('Only events after this sequence number'),
  limit: z.coerce.number<number>().int().min(1).max(1000).default(200),
})

/** A part of a session's log, in order. */
export const SessionLog = z
  .object({
    events: z.array(SessionEvent),
    next: z.number().int().optional().describe('The `after` for the rest; absent if there are no more events yet'),
  })
  .meta({ id: 'SessionLog', description: "A part of a session's log" })
export type SessionLog = z.infer<typeof SessionLog>

/** A value that is stored out of line: any JSON. */
export const StoredValue = z.unknown().refine((value) => value !== undefined)

/** Headers of a request for an event stream. */
export const EventStreamHeaders = z.looseObject({
  'last-event-id': z.string().optional().describe('Only events after this sequence number'),
})
