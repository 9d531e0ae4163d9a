import { ROUTES, ROUTE_NAMES, type Right, type Route, type RouteName } from '@orrery/aip/api'
import { startServer } from '@orrery/server'
import { z } from 'zod'
import { GENERATED, code, markdownTable, typeName } from './markdown.ts'

const INTRODUCTION = `# The HTTP API

On the same port as the WebSocket. Every route whose right is not \`open\` requires the operator key in the header \`X-API-Key\` or as
\`Authorization: Bearer KEY\`; without it, or with a wrong one, the answer is 401. A body is JSON with \`Content-Type: application/json\`, else the answer is
415; a key that the route does not know is refused with 422 (only \`/api/dispatch\` ignores it, as existing servers do). Where GET works, so does HEAD. Errors are \`{"detail": text, "code": NAME}\` with a fitting status; [errors.md](errors.md) lists the names.
The same as OpenAPI: [openapi.json](openapi.json), and from a running server at \`/api/openapi.json\`. In the SDK a route
is \`api.call(NAME, …)\`, and most are methods too: \`devices.list\` is \`api.devices.list()\`.

Pages of other origins may use the API from a browser if \`cors_origins\` in \`server.yaml\` names their origin exactly, such as \`https://app.example.org\`;
they show the key themselves, since cookies are never involved. \`@orrery/constellation/api\` runs in browsers.

The streams of events, of one session (\`/api/sessions/:id/events\`) and of the fleet (\`/api/events\`), are described in
[events.md](events.md). An event holds \`{"$value": id, "bytes": n}\` in place of a value above 64 KiB; the session itself has the whole value, and
\`/api/sessions/:id/values/:value\` returns it.
`

const GROUPS: readonly [group: string, title: string][] = [
  ['devices', 'Devices'],
  ['sessions', 'Sessions'],
  ['events', 'Events of the fleet'],
  ['workflows', 'Workflows'],
  ['asks', 'Approvals'],
  ['tasks', 'Tasks of existing peers'],
  ['server', 'The server'],
]

const RIGHTS: readonly [Right, string][] = [
  ['read', 'to look'],
  ['run', 'to start and steer work; includes `read`'],
  ['approve', 'to answer devices that ask for approval; includes `read`'],
  ['admin', 'everything'],
  ['any', 'nothing in particular: any valid key is enough'],
  ['open', 'no key is needed'],
]

/** The page of the HTTP API, from the table of routes. */
export function httpPage(): string {
  const groups = GROUPS.map(([group, title]) => ({ title, names: ROUTE_NAMES.filter((name) => name.startsWith(`${group}.`)) }))
  const missing = ROUTE_NAMES.filter((name) => !groups.some(({ names }) => names.includes(name)))
  if (missing.length > 0) throw new Error(`The page has no group for ${missing.join(', ')}`)
  const summary = groups.flatMap(({ names }) => names.map(summaryRow))
  const objects: Objects = new Map()
  const details = groups.map(
    ({ title, names }) => `## ${title}\n\n${names.map((name) => routeSection(name, objects)).join('\n')}`,
  )
  return [
    GENERATED + INTRODUCTION,
    markdownTable(['route', 'right', 'what it does'], summary),
    `What the right allows:\n\n${markdownTable(
      ['right', 'allows'],
      RIGHTS.map(([right, doc]) => [code(right), doc]),
    )}`,
    ...details,
    `## Objects\n\n${objectSections(objects).join('\n')}`,
  ].join('\n')
}

/** The OpenAPI document, from a server that runs only for this. */
export async function openApiDocument(): Promise<string> {
  const server = await startServer({ port: 0, operatorKey: 'docs', deviceKey: 'docs-device' })
  try {
    const response = await fetch(`${server.url}/api/openapi.json`, { headers: { 'x-api-key': 'docs' } })
    return `${JSON.stringify(await response.json(), null, 2)}\n`
  } finally {
    await server.stop()
  }
}

function summaryRow(name: RouteName): string[] {
  const { method, path, right, doc } = ROUTES[name]
  const anchor = `${method} ${path}`
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-')
  return [`[\`${method} ${path}\`](#${anchor})`, code(right), doc]
}

function routeSection(name: RouteName, objects: Objects): string {
  const { [name]: route }: Record<RouteName, Route> = ROUTES
  const parameters = [
    ...fieldRows(z.object(route.params ?? {}), 'path', objects),
    ...fieldRows(route.query, 'query', objects),
    ...fieldRows(route.headers, 'header', objects),
  ]
  const body = route.body === 'bytes' ? [] : fieldRows(route.body, undefined, objects)
  return [
    `### ${route.method} ${route.path}\n`,
    `${route.doc}. Right: ${code(route.right)}${route.alsoRight === undefined ? '' : ` and ${code(route.alsoRight)}`}. In the SDK: ${code(name)}.\n`,
    ...(parameters.length === 0 ? [] : [markdownTable(['parameter', 'in', 'type', 'required', 'meaning'], parameters)]),
    ...(route.body === 'bytes' ? ['Body: bytes.\n'] : []),
    ...(body.length === 0 ? [] : [markdownTable(['body field', 'type', 'required', 'meaning'], body)]),
    ...answer(route, objects),
  ].join('\n')
}

function answer({ answer }: Route, objects: Objects): string[] {
  const status = [answer.status, ...('alsoStatus' in answer ? answer.alsoStatus : [])].join(' or ')
  if (answer.kind === 'socket') return [`Answer: ${status}, a WebSocket: ${answer.doc}.\n`]
  if (answer.kind === 'bytes') {
    const headers = Object.entries(answer.headers).map(([name, doc]) => [code(name), doc])
    return [`Answer: ${status}, bytes.\n`, markdownTable(['header', 'meaning'], headers)]
  }
  const schema = jsonSchema(answer.schema, 'output', objects)
  if (answer.kind === 'events') return [`Answer: ${status}, server-sent events, each with ${typeName(schema)} as its data.\n`]
  const fields = rowsOf(schema)
  if (fields.length === 0) return [`Answer: ${status}, ${typeName(schema)}.\n`]
  return [`Answer: ${status}.\n`, markdownTable(['field', 'type', 'meaning'], fields.map(withoutNeed))]
}

/** The rows of the fields of a schema, or none. @param place where they stand, if that is a column */
function fieldRows(schema: z.ZodType | undefined, place: string | undefined, objects: Objects): string[][] {
  if (schema === undefined) return []
  const rows = rowsOf(jsonSchema(schema, 'input', objects))
  return place === undefined ? rows : rows.map((row) => row.toSpliced(1, 0, place))
}

type Row = [name: string, type: string, required: string, meaning: string]

/** Name, type, need and meaning of each field of an object, those of its variants included. */
function rowsOf(schema: JsonSchema): Row[] {
  const fields = new Map<string, unknown[]>()
  for (const { properties = {} } of [schema, ...(schema.oneOf ?? schema.anyOf ?? [])]) {
    for (const [name, field] of Object.entries(properties)) fields.set(name, [...(fields.get(name) ?? []), field])
  }
  return [...fields].map(([name, variants]) => [
    code(name),
    typeName({ anyOf: variants }),
    schema.required?.includes(name) === true ? 'yes' : '',
    meaning(variants[0]),
  ])
}

function withoutNeed([name, type, , meaning]: Row): string[] {
  return [name, type, meaning]
}

function meaning(field: unknown): string {
  const { description, default: value } = field as { description?: string; default?: unknown }
  const notes = value === undefined || value === null ? [] : [`Default ${code(JSON.stringify(value))}`]
  return [...(description === undefined ? [] : [description]), ...notes].join('. ')
}

interface JsonSchema {
  description?: string | undefined
  properties?: Record<string, unknown>
  required?: string[]
  oneOf?: JsonSchema[]
  anyOf?: JsonSchema[]
}

/** The named objects that were met, by name. */
type Objects = Map<string, JsonSchema>

/** The JSON schema; the named objects that it refers to are added to `objects`. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', objects: Objects): JsonSchema {
  const { $defs, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  for (const [name, object] of Object.entries($defs ?? {})) objects.set(name, object)
  return rest
}

function objectSections(objects: Objects): string[] {
  return [...objects]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, schema]) => {
      const fields = markdownTable(['field', 'type', 'meaning'], rowsOf(schema).map(withoutNeed))
      return `### ${name}\n\n${schema.description ?? ''}.\n\n${fields}`
    })
}
