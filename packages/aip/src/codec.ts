import type { z } from 'zod'
import { wireTime } from './clock.js'
import { AipError, shownName } from './define-errors.js'
import { encodedJson } from './encoded-value.js'
import { aipError } from './errors.js'
import { exceeds, jsonShape, type JsonShape } from './json-shape.js'
import { LIMITS } from './limits.js'
import { parseWhole } from './whole-number.js'
import { readCommandNames, readResultNames } from './messages/aliases.js'
import type { Direction, MessageOf, MessageRecord } from './messages/record.js'
import { TO_CLIENT, type ServerMessage } from './messages/to-client.js'
import { TO_SERVER, type ClientMessage } from './messages/to-server.js'

/** How messages are written: in wire form, or with the upper-case names of the documents. Both are always understood. */
export type Dialect = 'wire' | 'documented'

/** The fields that a sender sets; all others are filled in. */
export type Fields<R extends MessageRecord> = Partial<Omit<z.input<R['schema']>, 'type'>>

/** A message that is ready to be sent. */
export interface Outgoing<R extends MessageRecord = MessageRecord> {
  record: R
  message: MessageOf<R>
}

type Json = Record<string, unknown>

/** The default status of a message (protocol reference, chapters 3 and 4). */
const DEFAULT_STATUS: Readonly<Record<string, string>> = {
  task: 'continue',
  command: 'continue',
  command_results: 'continue',
  error: 'error',
}

const RECORDS: readonly MessageRecord[] = [...TO_SERVER, ...TO_CLIENT]

/**
 * A template of each message: all its fields, unset, in the order of the wire. Fields that existing peers must not
 * get are missing.
 */
const BLANK = new Map<string, Json>(
  RECORDS.map(({ name, type, direction, schema, leftOut = [] }) => [
    name,
    {
      ...Object.fromEntries(
        Object.keys(schema.shape)
          .filter((key) => !leftOut.includes(key))
          .map((key) => [key, null]),
      ),
      type,
      status: DEFAULT_STATUS[type] ?? 'ok',
      ...(direction === 'to_server' ? { client_type: 'device' } : {}),
    },
  ]),
)

/**
 * Completes a message: every field of its record is present in the order of the wire, unset ones `null` or left out; it has a status, a
 * time, and (to a client) a new `response_id`.
 * @param now milliseconds since the epoch
 */
export function buildMessage<R extends MessageRecord>(record: R, fields: Fields<R>, now: number): Outgoing<R> {
  const message: Json = { ...BLANK.get(record.name), timestamp: wireTime(now) }
  const given: Json = fields
  // A field set to undefined is unset: JSON would drop it.
  for (const key in given) if (given[key] !== undefined) message[key] = given[key]
  if (record.direction === 'to_client' && given['response_id'] === undefined) message['response_id'] = crypto.randomUUID()
  return { record, message: message as MessageOf<R> }
}

/** Writes a message as text. In the documented dialect `type` and some statuses have the names of the documents. */
export function encodeMessage({ record, message }: Outgoing, dialect: Dialect = 'wire'): string {
  return JSON.stringify(dialect === 'wire' ? message : inDocumentedNames(record, message))
}

/** Writes a message as its frame: as {@link encodeMessage}, or as the UTF-8 of that if it is an end that holds an encoded value. */
export function frameOf({ record, message }: Outgoing, dialect: Dialect): string | Uint8Array {
  const bytes =
    record.type === 'task_end' ? encodedJson(dialect === 'wire' ? message : inDocumentedNames(record, message)) : undefined
  return bytes ?? encodeMessage({ record, message }, dialect)
}

function inDocumentedNames(record: MessageRecord, message: Json): Json {
  const status = record.documentedStatus === undefined || message['status'] !== 'ok' ? {} : { status: record.documentedStatus }
  return { ...message, type: record.documented[0], ...status }
}

/** A message and the dialect in which it was written. */
export interface Decoded<M> {
  message: M
  dialect: Dialect
}

/** Any depth and width that the protocol allows: a client trusts its server with its own time. */
const ANY_WIDTH: JsonShape = { depth: LIMITS.nesting, values: Infinity, widest: Infinity }
/** What a server reads without holding up its other clients. */
const NARROW: JsonShape = { depth: LIMITS.nesting, values: LIMITS.messageValues, widest: LIMITS.objectKeys }

/** Reads a message to the server. @throws AipError `INVALID_MESSAGE`, `MESSAGE_TOO_LARGE` or `TOO_MANY_VALUES` */
export function decodeClientMessage(data: string | Uint8Array): Decoded<ClientMessage> {
  if (data.length > LIMITS.message) throw aipError('MESSAGE_TOO_LARGE', { limit: LIMITS.message })
  return readClientMessage(parseObject(data, NARROW))
}

/** Reads a message to the server that is parsed already. @throws AipError `INVALID_MESSAGE` */
export function readClientMessage(raw: Record<string, unknown>): Decoded<ClientMessage> {
  return decode(raw, TABLES.to_server) as Decoded<ClientMessage>
}

/** Reads a message to a client. @throws AipError `INVALID_MESSAGE` */
export function decodeServerMessage(data: string | Uint8Array): Decoded<ServerMessage> {
  return decode(parseObject(data), TABLES.to_client) as Decoded<ServerMessage>
}

interface Table {
  schemas: Map<string, z.ZodType>
  /** Lower-case names of the documents → type on the wire. */
  aliases: Map<string, string>
}

function table(records: readonly MessageRecord[]): Table {
  const schemas = new Map<string, z.ZodType>()
  const aliases = new Map<string, string>()
  for (const record of records) {
    schemas.set(record.type, record.schema)
    for (const name of record.documented) aliases.set(name.toLowerCase(), record.type)
  }
  // A name on the wire always means itself.
  for (const type of schemas.keys()) aliases.set(type, type)
  return { schemas, aliases }
}

const TABLES: Record<Direction, Table> = { to_server: table(TO_SERVER), to_client: table(TO_CLIENT) }

function decode(raw: Json, { schemas, aliases }: Table): Decoded<unknown> {
  const written = raw['type']
  if (typeof written !== 'string') throw invalid("missing required field 'type'")
  const type = aliases.get(written.toLowerCase())
  const schema = type === undefined ? undefined : schemas.get(type)
  if (type === undefined || schema === undefined) throw invalid(`unknown type '${shownName(written.slice(0, 64))}'`)
  normalise(raw, type)
  const parsed = schema.safeParse(raw)
  if (!parsed.success) throw invalid(describe(parsed.error, raw))
  return { message: parsed.data, dialect: written === type ? 'wire' : 'documented' }
}

function invalid(detail: string): Error {
  return aipError('INVALID_MESSAGE', { detail })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a JSON object without a key `__proto__`, and of a shape within bounds.
 * @throws AipError `INVALID_MESSAGE` or `TOO_MANY_VALUES`
 */
export function parseObject(data: string | Uint8Array, bounds: JsonShape = ANY_WIDTH): Json {
  let value: unknown
  try {
    const source = typeof data === 'string' ? data : utf8.decode(data)
    assertBounded(source, bounds)
    // A key `__proto__`, even with escaped letters, would change what other code sees in the object. It is rare, and so is the slower
    // parse.
    value = mayHoldProto(source) ? JSON.parse(source, dropProto) : parseWhole(source)
  } catch (error) {
    if (error instanceof AipError) throw error
    throw invalid('not valid JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('not a JSON object')
  return value as Json
}

function mayHoldProto(source: string): boolean {
  return source.includes('__proto__') || (source.includes('\\u00') && /\\u00(?:5f|6f|7[024])/i.test(source))
}

/** Checks the shape before the text is parsed: depth and width cost time far beyond their size. */
function assertBounded(source: string, bounds: JsonShape): void {
  // Each level takes two characters, so most messages need no check.
  if (source.length <= 2 * bounds.depth) return
  const shape = jsonShape(source, bounds)
  if (!exceeds(shape, bounds)) return
  if (shape.depth > bounds.depth) throw invalid('nested too deep')
  throw aipError('TOO_MANY_VALUES', { limit: bounds.values, keys: bounds.widest })
}

function dropProto(this: unknown, key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value
}

/** Formats the first issue of a schema as a text that a sender can act on. */
function describe(error: z.ZodError, raw: Json): string {
  const issue = error.issues[0]
  if (issue === undefined) return 'invalid'
  const path = issue.path.join('.')
  let value: unknown = raw
  for (const key of issue.path) value = isObject(value) || Array.isArray(value) ? Reflect.get(value, key) : undefined
  return value === undefined ? `missing required field '${path}'` : `field '${path}': ${issue.message}`
}

const STATUS_ALIASES: Readonly<Record<string, string>> = { success: 'ok', processing: 'continue', cancelled: 'failed' }

/** Converts the documented spellings in a new object to those of the wire (contradictions C-01, C-06, C-07, C-09, C-10, C-11). */
function normalise(raw: Json, type: string): void {
  raw['type'] = type
  const status = raw['status'] ?? DEFAULT_STATUS[type] ?? 'ok'
  raw['status'] = typeof status === 'string' ? alias(status, STATUS_ALIASES) : status
  if (typeof raw['client_type'] === 'string') raw['client_type'] = raw['client_type'].toLowerCase()
  if (type === 'register' && typeof raw['platform'] === 'string') addPlatform(raw, raw['platform'])
  if (Array.isArray(raw['action_results']) && raw['action_results'].length > LIMITS.actionsPerBatch)
    throw invalid(`more than ${LIMITS.actionsPerBatch} results`)
  if (Array.isArray(raw['action_results']))
    for (const result of raw['action_results']) if (isObject(result)) readResultNames(result)
  if (Array.isArray(raw['actions'])) for (const action of raw['actions']) if (isObject(action)) readCommandNames(action)
}

function alias(word: string, aliases: Readonly<Record<string, string>>): string {
  const lower = word.toLowerCase()
  return Object.hasOwn(aliases, lower) ? (aliases[lower] ?? lower) : lower
}

function addPlatform(raw: Json, platform: string): void {
  const metadata = raw['metadata'] ?? {}
  if (isObject(metadata)) raw['metadata'] = { ...metadata, platform: metadata['platform'] ?? platform }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
