import { z } from 'zod'
import { Ask } from './asks.js'
import { Device } from './devices.js'
import { SessionEvent } from './session-events.js'
import { Session } from './sessions.js'

/** The types of changes that the stream of the fleet reports. */
export const FleetEventType = z.enum(['session', 'presence', 'ask'])
export type FleetEventType = z.infer<typeof FleetEventType>

const position = z.string().describe('The position after this event; opaque')

/** One event of the fleet. It has the current state of what changed, not a difference. */
export const FleetEvent = z
  .discriminatedUnion('type', [
    z.object({ id: position, type: z.literal('session'), data: Session.describe('Without its result') }),
    z.object({ id: position, type: z.literal('presence'), data: Device }),
    z.object({
      id: position,
      type: z.literal('ask'),
      data: z.object({ ask_id: z.string(), ask: Ask.nullable().describe('Null if it no longer waits') }),
    }),
    z.object({
      id: z.null(),
      type: z.literal('record'),
      data: SessionEvent.describe('Of the requested session'),
    }),
    z.object({
      id: position,
      type: z.literal('reset'),
      data: z.null().describe('The position is too old: read the lists again'),
    }),
  ])
  .meta({ id: 'FleetEvent', description: 'One event of the fleet' })
export type FleetEvent = z.infer<typeof FleetEvent>

/** Query of the event stream. */
export const FleetEventQuery = z.object({
  since: z.string().optional().describe('The position of a list or the id of an event; Last-Event-ID takes precedence'),
  types: z.string().optional().describe('Only these types, joined by commas: session, presence, ask'),
  session: z.string().optional().describe('A session id or run id, whose records and progress are included'),
})
export type FleetEventQuery = z.input<typeof FleetEventQuery>

/** Headers of a request for the stream. */
export const FleetEventHeaders = z.looseObject({
  'last-event-id': z.string().optional().describe('The id of the last event that was read'),
})
