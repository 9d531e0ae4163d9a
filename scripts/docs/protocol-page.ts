import { TO_CLIENT, TO_SERVER, type MessageRecord } from '@orrery/aip'
import { z } from 'zod'
import { GENERATED, code, markdownTable, typeName } from './markdown.ts'

const INTRODUCTION = `# The protocol

AIP, the Agent Interaction Protocol, is spoken over one WebSocket per client, at \`/ws\` of the server. The key goes as \`?token=KEY\` or as
\`Authorization: Bearer KEY\`; a wrong key or path is refused with HTTP 403 before the upgrade. A message is one JSON object in one text frame.

- The first message of a client is \`register\`. Client id and role are pinned then; a later message that names others is refused.
- What is sent has all fields of its message in the order below, unset ones \`null\`; times are ISO-8601 in UTC with microseconds, ids are
  UUIDv4. What is read may leave fields out, may have unknown ones, any letter case of types and statuses, and the names of the documents.
- A client whose first message uses the names of the documents (upper case) is answered with those names. All others get the wire's.
- An answer of type \`heartbeat\` with status \`ok\` confirms a registration, answers a heartbeat, or acknowledges a task (then with \`session_id\`).
- Numbers are those of JavaScript: integers above 2^53 lose digits, and \`NaN\` is not JSON. Of duplicate keys the last one counts.
- A peer that did not offer a feature is never sent a message of that feature. Features are offered in \`metadata.aip\` of \`register\` as
  \`{version: 1, features: [...]}\` and confirmed in \`result.aip\`. A client that wants to be sent smaller messages than
  the limit says so there with \`max_frame\`, in bytes.

The JSON Schema of each message is in [schema/](schema/).
`

/** The page of all messages. */
export function protocolPage(): string {
  return `${GENERATED}${INTRODUCTION}
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
