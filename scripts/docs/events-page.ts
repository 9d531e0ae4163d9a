import { FleetEvent } from '@orrery/aip/api'
import { Progress, RECORDS } from '@orrery/aip/records'
import { describedFields } from './described-fields.ts'
import { GENERATED, code, markdownTable } from './markdown.ts'

const INTRODUCTION = `# Events

A session is its records: what the event log holds is what the streams send. Both streams are server-sent events (SSE); \`data\` is JSON.

## The events of one session

\`GET /api/sessions/:id/events\` begins with what was recorded, or after \`Last-Event-ID\`, continues with what happens, and ends after \`ended\`.
\`id\` is the sequence number of the record, \`event\` its type, and \`data\` \`{"seq", "session_id", "time", "type", "data"}\`. Progress is not
recorded, so it has no \`id\`. \`GET /api/sessions/:id/log\` gives the same records as a list.

Values above 64 KiB are replaced in records by \`{"$value": id, "bytes": n}\`; \`GET /api/sessions/:id/values/:value\` gives each, and the session has
its result whole.
`

const FLEET = `## The events of the fleet

\`GET /api/events\` reports what changes on the whole fleet. A thing that changed comes as it is now, not as a difference, so an event that
comes twice does no harm. \`id\` is a position, an opaque text: the lists of devices, sessions and approvals answer with a \`position\` too, and
\`?since=\` with it, or \`Last-Event-ID\`, continues from there without a gap. Of several changes of one thing that wait to be sent only the
last is sent. With \`?session=\` the records and the progress of that session come too, as \`record\`, without an \`id\`.

`

/** The page of all events. */
export function eventsPage(): string {
  const summary = RECORDS.map(({ type, doc }) => [`[\`${type}\`](#${type})`, doc])
  const records = RECORDS.map(({ type, doc, schema }) => {
    const fields = Object.keys(schema.shape).length === 0 ? 'It has no data.\n' : describedFields(schema)
    return `### ${type}\n\n${doc}\n\n${fields}`
  })
  return [
    GENERATED + INTRODUCTION,
    markdownTable(['event', 'what it says'], summary),
    ...records,
    `### progress\n\nHow far a command is, or what the agent is doing. It is not recorded.\n\n${describedFields(Progress)}`,
    FLEET + markdownTable(['event', 'data'], FleetEvent.options.map(fleetRow)),
  ].join('\n')
}

const FLEET_DATA: Readonly<Record<FleetEvent['type'], string>> = {
  session: 'The session as lists show it, without its result',
  presence: 'The device as lists show it: it came, went, began or ended work, or says something new of itself',
  ask: '`{"ask_id", "ask"}`: a call waits for approval; `ask` is null when it no longer waits',
  record: 'A record or progress of the session that was asked for, as in its own stream',
  reset: 'The position is too old, or of an earlier run of the server: read the lists again',
}

function fleetRow({ shape }: (typeof FleetEvent.options)[number]): string[] {
  return [code(shape.type.value), FLEET_DATA[shape.type.value]]
}
