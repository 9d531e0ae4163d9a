import {
  Agreement,
  DevicePush,
  LIMITS,
  Offer,
  PINGS_PER_SILENCE,
  TO_CLIENT,
  TO_SERVER,
  TerminalReport,
  type Feature,
  type MessageRecord,
} from '@orrery/aip'
import { z } from 'zod'
import { describedFields } from './described-fields.ts'
import { GENERATED, code, markdownTable, typeName } from './markdown.ts'

const INTRODUCTION = `# The protocol

AIP, the Agent Interaction Protocol, runs over one WebSocket per client, at \`/ws\` of the server. The key is passed as \`?token=KEY\` or as
\`Authorization: Bearer KEY\`; a wrong key or path, and a page of another site (\`Origin\`), is refused with HTTP 403 before the
upgrade; after more than 20 different wrong keys from one address within a minute, wrong keys are refused with 429. A message is one JSON object in one text frame.

- The first message of a client is \`register\`. Client id and role are pinned then; a later message that names others is refused.
- What is sent has all fields of its message in the order below, unset ones \`null\`; times are ISO-8601 in UTC with microseconds, ids are
  UUIDv4. What is read may leave fields out, may have unknown ones, any letter case of types and statuses, and the names of the documents.
- A client whose first message uses the names of the documents (upper case) is answered with those names. All others get the wire's.
- An answer of type \`heartbeat\` with status \`ok\` confirms a registration, answers a heartbeat, or acknowledges a task (then with \`session_id\`).
- Numbers are those of JavaScript: integers above 2^53 lose digits, and \`NaN\` is not JSON. Of duplicate keys the last one counts.
- A message to the server may have 1 MiB and 50,000 values; only \`command_results\` may have 100 MiB. Beyond that it is refused with an error, and
  the connection stays. Before the registration 64 KiB are the most, and the connection is closed with 1009.
- A client may send 200 messages a second, and 1,000 at once; results, progress and receipts that the server waits for do not count. Messages
  above that wait; if they still have to after two seconds, the connection is closed with 1008, \`rate limit\`. So is one whose message has more
  than 64 fragments, or makes no progress for 30 s.
- A peer that did not offer a feature is never sent a message of that feature: see [Negotiation](#negotiation).

The JSON Schema of each message is in [schema/](schema/).
`

const NEGOTIATION = `## Negotiation

Existing peers negotiate nothing. An Orrery client offers what it can do in \`metadata.aip\` of its \`register\`; an Orrery server answers
with \`result.aip\` in the confirmation. A peer that gets no answer uses no features. Unknown features and fields are ignored, and
an unusable field counts as absent.

The offer, \`metadata.aip\`:

${describedFields(Offer)}
The agreement, \`result.aip\`:

${describedFields(Agreement)}
A device with \`result.aip\` pushes \`device_info_response\` unasked, at its registration and after changes, at most once a second. Its \`metadata\`
has these fields; all others (\`screen_resolution\`, \`installed_applications\`, \`capabilities\` and so on) are added to what the device reported about itself
in \`metadata.system_info\` of its registration:

${describedFields(DevicePush)}
The features:

${markdownTable(
  ['feature', 'what both sides do'],
  Object.entries(featureDocs()).map(([name, doc]) => [code(name), doc]),
)}
## A device that resumes

What a device has to do so that no lost connection and no restart of either side loses a task or runs a command twice. It offers
\`journal\` and \`resume\` together.

**The order of frames.** \`register\` is the first frame to the server, and the confirmation the first frame to the device. If a session continues, the
batch that was in flight follows with the same \`response_id\` and the same \`call_id\`s.

**The resume token.** Each confirmation carries a new \`resume_token\`; the one that was presented stays valid until the new one is presented, because the confirmation may
be lost. The device writes it to disk before it does anything else, together with the address of the server, and shows it at the next
registration with that server and with no other. A registration
with the right token takes over an old connection of the same id at once. Without the token the old connection is probed for up to
${LIMITS.probeTime / 1000} s, and the sessions of the id do not continue.

**The journal.** A durable log on the device, keyed by \`response_id\` and \`call_id\`:

1. The batch and \`started\` are on disk before a command's tool runs.
2. The result is on disk before the next command starts.
3. All results are on disk before \`command_results\` is sent.
4. \`results_ack\` with that \`response_id\` says that the server has recorded them. Until then the device keeps them.

A batch with a known \`response_id\` is answered from the journal: finished commands with their recorded results, a command that was started and has no
result with \`failure\` (unless it is known that it may run twice: a trusted tool that is read-only or idempotent), and the rest runs. A batch that is still running answers once.

**Keep-alive.** Both ends send WebSocket pings ${PINGS_PER_SILENCE} times per \`heartbeat_ms\` and drop a connection that was silent for that long. The
\`heartbeat\` message continues as before.

**What happens on a reconnect.** The device dials again for as long as it runs, with random waits of 0.5 to 5 s. What runs meanwhile continues, and its results wait.
After the confirmation:

1. The device stores the new token.
2. If \`session_id\` is not the session that it was working for, that session has ended: the device cancels its commands and resets its tools.
3. It sends \`command_results\` for every batch that is finished and not acknowledged, oldest first. The server ignores those that it has.
4. It answers what the server sends again.

A server that confirms without \`resume\` cannot continue anything: the device ends its sessions. A session whose device stays away for more than
${LIMITS.resumeGrace / 1000} s fails as \`device_disconnected\`.

## Terminals

An operator connects to \`/api/devices/ID/terminal\` with a key of the rights \`approve\` and \`run\`. The first message says what to run, as JSON in a text frame:
\`{"type": "open", "columns": 80, "rows": 24}\`, with \`program\`, \`args\`, \`cwd\` and \`term\` as they are needed. The server sends the device \`open_terminal\`, the device dials
\`/ws/transfers/TERMINAL_ID\` with its \`transfer_key\`, as for a file, and the server passes frames on both ways, one at a time. What is typed and printed
comes in binary frames, everything else as JSON in text frames:

${markdownTable(['to the device', 'what it is'], [[code('{"type": "resize", "columns", "rows"}'), 'The window of the operator has another size.']])}
${markdownTable(['to the operator', 'what it is'], reportRows())}
Whatever ends one connection ends the other, and with it the program and all that it has started. Both ends ping ${PINGS_PER_SILENCE} times per ${LIMITS.resumeSilence / 1000} s.
`

/** The reports about a terminal, with their fields. */
function reportRows(): string[][] {
  return TerminalReport.options.map((report) => {
    const { type, ...fields } = report.shape
    return [
      code(
        `{"type": "${type.value}"${Object.keys(fields)
          .map((name) => `, "${name}"`)
          .join('')}}`,
      ),
      report.description ?? '',
    ]
  })
}

/** What the two sides do, by feature; one without a text does not compile. */
function featureDocs(): Record<Feature, string> {
  return {
    journal: 'The device records commands, and the server acknowledges their results with `results_ack`.',
    resume: 'Sessions survive a lost connection; both ends use the keep-alive of the agreement.',
    cancel: 'The server may send `cancel`.',
    progress: 'The device may send `progress`; the server sends a constellation `session_progress`.',
    ask: 'The device may send `ask`, and the server answers with `answer`.',
    files: 'The device dials for whole files with the `transfer_key`.',
    concurrent: 'The server may send a `command` with `concurrent: true`, which runs alongside the running session.',
    terminal: 'The server may send `open_terminal`; the device dials for the terminal with the `transfer_key`.',
    info: 'The server may ask the device what it is now, with `device_info_query`.',
  }
}

/** The fields of an object with what each says about itself. */
/** The page of all messages. */
export function protocolPage(): string {
  return `${GENERATED}${INTRODUCTION}
${NEGOTIATION}
## To the server

${messageTable(TO_SERVER)}
${fieldTable(TO_SERVER)}
## To a client

${messageTable(TO_CLIENT)}
${fieldTable(TO_CLIENT)}`
}

function messageTable(records: readonly MessageRecord[]): string {
  return markdownTable(
    ['message', 'type', 'in the documents', 'clients', 'feature', 'what it is'],
    records.map((record) => [
      code(record.name),
      code(record.type),
      record.documented.map(code).join(', '),
      record.roles.join(', '),
      code(record.feature ?? ''),
      record.doc,
    ]),
  )
}

/** The fields that all messages of a direction share, and those that some have on top. */
function fieldTable(records: readonly MessageRecord[]): string {
  const shapes = records.map((record) => ({ name: record.name, properties: properties(record) }))
  const [first] = shapes
  const common = Object.keys(first?.properties ?? {})
  const shared = common.map((field) => [
    code(field),
    field === 'type' ? 'the type of the message' : typeName(first?.properties[field]),
  ])
  const extra = shapes.flatMap(({ name, properties: own }) =>
    Object.keys(own)
      .filter((field) => !common.includes(field))
      .map((field) => [code(name), code(field), typeName(own[field])]),
  )
  return `Fields of every message, in this order:\n\n${markdownTable(['field', 'type'], shared)}\nMore fields:\n\n${markdownTable(['message', 'field', 'type'], extra)}`
}

function properties(record: MessageRecord): Record<string, unknown> {
  return z.toJSONSchema(record.schema, { io: 'output', unrepresentable: 'any' }).properties ?? {}
}
