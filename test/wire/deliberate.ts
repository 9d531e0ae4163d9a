import type { Json } from '../support/wire-client.js'
import type { Difference } from './comparison.js'

/** Something that Orrery does otherwise than the recorded peer, on purpose. */
export interface Deliberate {
  /** What decides: a contradiction of the references, a promise of the seeds, or the design. */
  by: string
  why: string
  /** Returns whether a difference is of this kind. Judges what was sent, not of particular recordings. */
  is(difference: Difference): boolean
}

const WORDS = ['type', 'status', 'client_type']

/** The deliberate differences of the server. */
export const SERVER_DELIBERATE: readonly Deliberate[] = [
  {
    by: 'C-01',
    why: 'types, states and roles are read in any letter case',
    is: (difference) => acceptedInstead(difference) && WORDS.some((word) => isUpper(difference.after[word])),
  },
  {
    by: 'C-06',
    why: 'a missing status has a default, and so has a role that is null',
    is: (difference) =>
      acceptedInstead(difference) && ((difference.after['status'] ?? null) === null || difference.after['client_type'] === null),
  },
  {
    by: 'C-18',
    why: 'an invalid first message is answered with an error and a close, instead of a silent drop',
    is: ({ field, recorded, played, type }) =>
      (field === 'frame' && recorded === null && type === 'error') || (field === 'close' && recorded === 1006 && played === 1008),
  },
  {
    by: 'C-22',
    why: "a constellation's heartbeat may carry the default role",
    is: (difference) => acceptedInstead(difference) && difference.after['type'] === 'heartbeat',
  },
  {
    by: 'C-25',
    why: 'a platform that is not known is refused',
    is: ({ after, field, played }) =>
      after['type'] === 'register' &&
      ((field === 'error' && String(played).startsWith('Invalid platform')) ||
        (field === 'type' && played === 'error') ||
        (field === 'status' && played === 'error') ||
        (field === 'close' && played === 1008)),
  },
  {
    by: 'C-38',
    why: 'one session runs on a device at a time: a task that is dispatched meanwhile waits',
    is: ({ field, played, type }) => field === 'frame' && played === null && type === 'task',
  },
  {
    by: 'C-49',
    why: 'the session id of a dispatch is the one that runs',
    is: ({ field, type, after }) => field === 'session_id' && type === 'heartbeat' && after['type'] === 'task',
  },
  {
    by: 'C-54',
    why: "an agent's failure is reported as failed, with its text",
    is: ({ field, recorded, played, type }) =>
      type === 'task_end' &&
      ((field === 'status' && recorded === 'completed' && played === 'failed') ||
        (field === 'error' && recorded === null && typeof played === 'string')),
  },
  {
    by: 'C-61',
    why: 'the device is notified when the constellation that it worked for is gone',
    is: ({ field, recorded, played }) =>
      field === 'frame' &&
      recorded === null &&
      (played as Json | null)?.['type'] === 'task_end' &&
      (played as Json | null)?.['status'] === 'failed',
  },
  {
    by: 'S-246',
    why: 'a registration with odd system information is accepted, and leaves nothing behind when its client goes',
    is: ({ after, field, recorded, played, sent }) =>
      after['type'] === 'register' &&
      sent.some((other) => other['client_id'] === after['client_id'] && typeof infoOf(other) === 'string') &&
      ((recorded === 'error' && (played === 'heartbeat' || played === 'ok')) ||
        (field === 'error' && played === null) ||
        (field === 'frame' && recorded === null && played === null)),
  },
  {
    by: 'design, HTTP',
    why: 'a missing key is 401 like a wrong one',
    is: ({ field, recorded, played }) => field === 'http' && recorded === 422 && played === 401,
  },
  {
    by: 'design, HTTP',
    why: 'what a request does wrong is never a 500',
    is: ({ field, recorded, played }) => field === 'http' && recorded === 500 && Number(played) >= 400 && Number(played) < 500,
  },
  {
    by: 'design, HTTP',
    why: 'a path with a slash at its end is answered at once, without a redirection',
    is: ({ field, recorded, played }) => field === 'http' && recorded === 307 && played === 200,
  },
  {
    by: 'design, HTTP',
    why: 'the OpenAPI document is at /api/openapi.json, with the key',
    is: ({ field, recorded, afterRaw }) => field === 'http' && recorded === 200 && /^GET \/(docs|openapi\.json) /.test(afterRaw),
  },
  {
    by: 'design, HTTP',
    why: 'a key counts as a bearer too',
    is: ({ field, recorded, played, afterRaw }) =>
      field === 'http' && recorded === 422 && played === 200 && afterRaw.startsWith('GET /api/health '),
  },
  {
    by: 'design, HTTP',
    why: 'HEAD is answered where GET is, and a body of another type is named as that',
    is: ({ field, recorded, played }) =>
      field === 'http' && ((recorded === 405 && played === 200) || (recorded === 422 && played === 415)),
  },
  {
    by: 'design, HTTP',
    why: 'a page says what the server is',
    is: ({ field, recorded, played, afterRaw }) =>
      field === 'http' && recorded === 404 && played === 200 && afterRaw.startsWith('GET / '),
  },
  {
    by: 'C-04',
    why: 'a task is dispatched to devices only',
    is: ({ field, recorded, played, afterRaw }) =>
      field === 'http' && recorded === 200 && played === 404 && afterRaw.startsWith('POST /api/dispatch'),
  },
]

/** The deliberate differences of the device, and what depends on the machine. */
export const DEVICE_DELIBERATE: readonly Deliberate[] = [
  {
    by: 'design, extensions',
    why: 'the registration offers features, which servers that do not know them ignore',
    is: ({ type, field, recorded, played }) =>
      type === 'register' &&
      field === 'metadata(fields)' &&
      recorded === 'platform,registration_time,system_info' &&
      played === 'aip,platform,registration_time,system_info',
  },
  {
    by: 'protocol reference, chapter 5',
    why: 'a tool without an output schema has none, instead of an empty one',
    is: ({ field, recorded, played }) =>
      /^action_results\.\d+\.result\.\d+\.output_schema$/.test(field) && JSON.stringify(recorded) === '{}' && played === null,
  },
  {
    by: 'S-018',
    why: 'what the machine is differs from machine to machine; the kind of each value does not',
    is: ({ type, field, recorded, played }) =>
      type === 'register' &&
      field.startsWith('metadata.system_info.') &&
      typeof recorded === typeof played &&
      Array.isArray(recorded) === Array.isArray(played),
  },
]

/** The deliberate differences of the constellation client. */
export const CONSTELLATION_DELIBERATE: readonly Deliberate[] = [
  {
    by: 'design, extensions',
    why: 'the registration offers features, which servers that do not know them ignore, and says when it was made',
    is: ({ type, field, recorded, played }) =>
      type === 'register' &&
      field === 'metadata(fields)' &&
      recorded === 'capabilities,targeted_device_id,task_name,type,version' &&
      played === 'aip,capabilities,registration_time,targeted_device_id,task_name,type,version',
  },
  {
    by: 'design, delivery contract',
    why: 'a task has a request id, which distinguishes a repetition from a second task',
    is: ({ type, field, recorded, played }) =>
      type === 'task' && field === 'request_id' && recorded === null && typeof played === 'string',
  },
]

/** The first kind of deliberate difference that this is. */
export function deliberately(difference: Difference, list: readonly Deliberate[]): Deliberate | undefined {
  return list.find((kind) => kind.is(difference))
}

/** The recorded server refused what Orrery takes. */
function acceptedInstead({ field, recorded, played, type }: Difference): boolean {
  if (field === 'frame') return recorded === null && ['heartbeat', 'REGISTER_CONFIRM'].includes(String(type))
  return (
    type === 'error' &&
    ((field === 'type' && played !== 'error') ||
      (field === 'status' && played === 'ok') ||
      (field === 'error' && played === null))
  )
}

function isUpper(value: unknown): boolean {
  return typeof value === 'string' && value !== value.toLowerCase()
}

function infoOf(registration: Json): unknown {
  return (registration['metadata'] as Json | null)?.['system_info']
}
