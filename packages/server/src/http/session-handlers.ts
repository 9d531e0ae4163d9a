import type { Fleet } from '../fleet/fleet.js'
import { eventResponse } from './event-response.js'
import type { EventStreams } from './event-streams.js'
import type { HandlersOf } from './handler.js'

/** Sessions: start, list, look up, follow, cancel, talk. */
export function sessionHandlers({ sessions, tasks }: Fleet, streams: EventStreams): HandlersOf<'sessions' | 'workflows'> {
  return {
    'sessions.create': ({ principal, body }) => tasks.start(principal, body),
    'sessions.list': ({ principal, query: { device_id: deviceId, ...rest } }) => sessions.list(principal, { deviceId, ...rest }),
    'sessions.get': ({ principal, params }) => sessions.get(principal, params.id),
    'sessions.events': async ({ principal, params, headers, reply }) => {
      const session = await sessions.get(principal, params.id)
      const lastEventId = Number(headers['last-event-id'] ?? 0)
      const response = eventResponse(reply)
      if (response === null) return
      await streams.session(principal, response, session, Number.isSafeInteger(lastEventId) ? lastEventId : 0)
    },
    'sessions.log': ({ principal, params, query: { after, limit } }) => sessions.log(principal, params.id, after, limit),
    'sessions.value': ({ principal, params }) => sessions.value(principal, params.id, params.value),
    'sessions.cancel': ({ principal, params }) => sessions.cancel(principal, params.id),
    'sessions.answer': ({ principal, params, body }) => sessions.answer(principal, params.id, body.text, body.question_id),
    'sessions.remark': ({ principal, params, body }) => sessions.remark(principal, params.id, body.text),
    'workflows.list': ({ principal }) => tasks.workflows(principal),
  }
}
