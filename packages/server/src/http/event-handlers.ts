import { aipError } from '@orrery/aip'
import { FleetEventType } from '@orrery/aip/api'
import type { Fleet } from '../fleet/fleet.js'
import { eventResponse } from './event-response.js'
import type { EventStreams } from './event-streams.js'
import type { HandlersOf } from './handler.js'

/** What happens on the whole fleet. */
export function eventHandlers({ sessions }: Fleet, streams: EventStreams): HandlersOf<'events'> {
  return {
    'events.follow': async ({ principal, query, headers, reply }) => {
      const types = query.types?.split(',').map(eventType)
      const run = query.session === undefined ? undefined : (await sessions.get(principal, query.session)).run_id
      const response = eventResponse(reply)
      if (response === null) return
      await streams.fleet(principal, response, { since: headers['last-event-id']?.toString() ?? query.since, types, run })
    },
  }
}

function eventType(name: string): FleetEventType {
  const { data } = FleetEventType.safeParse(name)
  if (data === undefined) {
    throw aipError('INVALID_INPUT', { detail: `types: '${name}' is none of ${FleetEventType.options.join(', ')}` })
  }
  return data
}
