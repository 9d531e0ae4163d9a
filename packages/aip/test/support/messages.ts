import * as fc from 'fast-check'
import { z } from 'zod'
import { TO_CLIENT } from '../../src/messages/to-client.js'
import { TO_SERVER } from '../../src/messages/to-server.js'
import type { MessageRecord } from '../../src/messages/record.js'

export type Json = Record<string, unknown>

export const RECORDS: readonly MessageRecord[] = [...TO_SERVER, ...TO_CLIENT]

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
export const WIRE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/

/** Any JSON value without a key `__proto__`, which the codec drops; -0 is left out because JSON writes it as 0. */
const json = fc
  .jsonValue({ maxDepth: 3 })
  .map(
    (value) => JSON.parse(JSON.stringify(value), (name, part: unknown) => (name === '__proto__' ? undefined : part)) as unknown,
  )
/** Objects as JSON makes them. */
const PLAIN = { noNullPrototype: true }
const text = fc.option(fc.string({ unit: 'binary-ascii' }))
const key = fc.string({ maxLength: 8 }).filter((name) => name !== '__proto__')
const object = fc.option(fc.dictionary(key, json, { maxKeys: 4, noNullPrototype: true }))
const toolType = fc.option(fc.constantFrom('data_collection', 'action'))
const status = fc.constantFrom('continue', 'completed', 'failed', 'ok', 'error')

const action = fc.record({ tool_name: fc.string(), parameters: object, tool_type: toolType, call_id: text }, PLAIN)
const result = fc.record(
  {
    status: fc.constantFrom('success', 'failure', 'skipped', 'none'),
    error: text,
    result: json,
    namespace: text,
    call_id: text,
  },
  PLAIN,
)

/** What each field may hold; fields that are not here hold a text or null. */
const FIELDS: Record<string, fc.Arbitrary<unknown>> = {
  status,
  client_type: fc.constantFrom('device', 'constellation'),
  action_results: fc.option(fc.array(result, { maxLength: 4 })),
  actions: fc.option(fc.array(action, { maxLength: 4 })),
  messages: fc.option(fc.array(fc.string(), { maxLength: 4 })),
  metadata: object,
  result: json,
  progress: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  total: fc.option(fc.integer()),
  decision: fc.constantFrom('allow', 'deny'),
  state: fc.constantFrom('paused', 'running'),
  concurrent: fc.option(fc.boolean()),
}

/** Fields that a record of an extension requires as a text. */
const REQUIRED = new Set(['reason', 'ask_id', 'by', 'tool', 'arguments_hash', 'summary', 'expires_at', 'terminal_id'])

/** Any valid message of a record: every field but `type`. */
export function fieldsOf(record: MessageRecord): fc.Arbitrary<Json> {
  const names = Object.keys(record.schema.shape).filter((name) => name !== 'type')
  const required = (name: string): boolean => REQUIRED.has(name) || (name === 'call_id' && record.name !== 'cancel')
  return fc.record(Object.fromEntries(names.map((name) => [name, FIELDS[name] ?? (required(name) ? fc.string() : text)])), PLAIN)
}

/** The least that a record needs beside its type. */
export function requiredFieldsOf(record: MessageRecord): Json {
  const sample: Json = { progress: 0.5, decision: 'allow', state: 'paused' }
  const fields: Json = {}
  for (const [name, schema] of Object.entries(record.schema.shape)) {
    if (name === 'type' || name === 'status') continue
    const accepts = z.safeParse(schema, undefined).success
    if (!accepts) fields[name] = sample[name] ?? name
  }
  return fields
}
