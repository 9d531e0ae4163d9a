import { FleetEvent } from '@orrery/aip/api'
import { Progress, RECORDS } from '@orrery/aip/records'
import { describedFields } from './described-fields.ts'
import { GENERATED, code, markdownTable } from './markdown.ts'

const INTRODUCTION = `# Events

A session is its records: the streams send what the event log holds. Both streams are server-sent events (SSE); \`data\` is JSON.

## The events of one session

\`GET /api/sessions/:id/events\` begins with the first record, or after \`Last-Event-ID\`, continues with live events, and ends after \`ended\`.
\`id\` is the sequence number of the record, \`event\` its type, and \`data\` \`{"seq", "session_id", "time", "type", "data"}\`. Progress is not
recorded, so it has no \`id\`. \`GET /api/sessions/:id/log\` returns the same records as a list.

Values above 64 KiB are replaced in records by \`{"$value": id, "bytes": n}\`; \`GET /api/sessions/:id/values/:value\` returns each. The
result of the session itself is complete.
`

const FLEET = `## The events of the fleet

\`GET /api/events\` reports the changes of the whole fleet. An event has the current state of what changed, not a difference, so receiving an
event twice does no harm. \`id\` is a position, an opaque text. The lists of devices, sessions and approvals have a \`position\` too; with it,
\`?since=\` (or \`Last-Event-ID\`) continues from there without a gap. If several changes of one thing wait to be sent, only the last is sent.
\`?session=\` adds the records and the progress of that session, as \`record\`, without an \`id\`: a reader that was away reads what it missed
from \`/api/sessions/:id/log\`. \`api.events.follow\` of the SDK reconnects by itself.

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
    markdownTable(['event', 'meaning'], summary),
    ...records,
    `### progress\n\nThe progress of a command, or what the agent is doing. It is not recorded.\n\n${describedFields(Progress)}`,
    FLEET + markdownTable(['event', 'data'], FleetEvent.options.map(fleetRow)),
  ].join('\n')
}

const FLEET_DATA: Readonly<Record<FleetEvent['type'], string>> = {
  session: 'The session as lists show it, without its result',
  presence: 'The device as lists show it: it came or went, started or ended work, or reports something new about itself',
  ask: '`{"ask_id", "ask"}`: a call waits for approval; `ask` is null once it no longer waits',
  record: 'A record or progress of the requested session, as in its own stream',
  reset: 'The position is too old, or from an earlier run of the server: read the lists again',
}

function fleetRow({ shape }: (typeof FleetEvent.options)[number]): string[] {
  return [code(shape.type.value), FLEET_DATA[shape.type.value]]
}
