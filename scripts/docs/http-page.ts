import { startServer } from '@orrery/server'
import { z } from 'zod'
import { GENERATED, code, markdownTable, typeName } from './markdown.ts'

const Operation = z.object({
  summary: z.string().optional(),
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), required: z.boolean().optional(), schema: z.unknown() }))
    .default([]),
  requestBody: z.unknown().optional(),
  responses: z.record(z.string(), z.unknown()).default({}),
})
const OpenApi = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), Operation)) })

const INTRODUCTION = `# The HTTP API

On the same port as the WebSocket. Every route but \`/healthz\` and \`/readyz\` wants the operator key in the header \`X-API-Key\`; without it, or
with another, the answer is 401. Errors are \`{"detail": text, "code": NAME}\` with a fitting status; the names are in [errors.md](errors.md).
The same as OpenAPI: [openapi.json](openapi.json), and from a running server at \`/api/openapi.json\`.

An event stream (\`/api/sessions/{id}/events\`) is server-sent events: \`id\` is the sequence number, \`event\` the type of the record, \`data\` the
event as JSON. It begins with what was recorded, or after \`Last-Event-ID\`, and ends after \`ended\`. Progress is not recorded, so those
events have no \`id\`. Values above 64 KiB are shown in events as \`{"$value": id, "bytes": n}\`; the session has them whole.
`

/** The page and the document of the HTTP API, from a server that runs only for this. */
export async function httpPages(): Promise<{ page: string; document: string }> {
  const server = await startServer({ port: 0, operatorKey: 'docs', deviceKey: 'docs-device' })
  try {
    const response = await fetch(`${server.url}/api/openapi.json`, { headers: { 'x-api-key': 'docs' } })
    const document: unknown = await response.json()
    const { paths } = OpenApi.parse(document)
    const sections = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => section(method.toUpperCase(), path, operation)),
    )
    return { page: `${GENERATED}${INTRODUCTION}\n${sections.join('\n')}`, document: `${JSON.stringify(document, null, 2)}\n` }
  } finally {
    await server.stop()
  }
}

function section(method: string, path: string, operation: z.infer<typeof Operation>): string {
  const parameters = operation.parameters.map((parameter) => [
    code(parameter.name),
    parameter.in,
    typeName(parameter.schema),
    parameter.required === true ? 'yes' : '',
  ])
  const body = fieldsOf(operation.requestBody)
  const answers = Object.entries(operation.responses).map(([status, response]) => [
    status,
    fieldsOf(response)
      .map(([name]) => name)
      .join(', '),
  ])
  return [
    `## ${method} ${path}\n`,
    `${operation.summary ?? 'A probe without a key'}.\n`,
    ...(parameters.length === 0 ? [] : [markdownTable(['parameter', 'in', 'type', 'required'], parameters)]),
    ...(body.length === 0 ? [] : [markdownTable(['body field', 'type', 'required'], body)]),
    markdownTable(['status', 'fields'], answers),
  ].join('\n')
}

/** Name, type and need of each field of a JSON body. */
function fieldsOf(part: unknown): [string, string, string][] {
  const Content = z.object({ content: z.object({ 'application/json': z.object({ schema: z.looseObject({}) }) }) })
  const parsed = Content.safeParse(part)
  if (!parsed.success) return []
  const { properties, required, oneOf, anyOf } = parsed.data.content['application/json'].schema as Record<string, unknown>
  const variants = (oneOf ?? anyOf) as { properties?: Record<string, unknown> }[] | undefined
  const fields = {
    ...(properties as Record<string, unknown> | undefined),
    ...(Object.assign({}, ...(variants ?? []).map((variant) => variant.properties ?? {})) as Record<string, unknown>),
  }
  return Object.entries(fields).map(([name, schema]) => [
    code(name),
    typeName(schema),
    Array.isArray(required) && required.includes(name) ? 'yes' : '',
  ])
}
