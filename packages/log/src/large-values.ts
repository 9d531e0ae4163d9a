import { createHash } from 'node:crypto'

/** Data as it is stored: with references, as JSON text, and the large values that were taken out of it, by id. */
export interface EncodedData {
  stored: unknown
  text: string
  values: ReadonlyMap<string, string | Uint8Array>
}

/** Replaces, in a record, a value that is stored out of line. `bytes` is the size of the value's JSON. */
export interface ValueReference {
  $value: string
  bytes: number
}

/** A value that is JSON already, with the SHA-256 of it: it is stored as it is, without being made into objects. */
interface Encoded {
  valueId: string
  jsonBytes: Uint8Array
}

type Json = Record<string, unknown>

const NONE: ReadonlyMap<string, string | Uint8Array> = new Map()

/**
 * Turns data into text. Values of its top level, and of the objects in a list at its top level (`data.results[i].result`), are
 * taken out when their JSON is above `inlineBytes`; so is what only looks like a reference, so that it is not mistaken for one later.
 * @throws TypeError when the data cannot be JSON (a cycle, a bigint)
 */
export function encodeData(data: unknown, inlineBytes: number): EncodedData {
  // A long text is found without turning everything into JSON first; it would be turned twice.
  if (!isPlain(data) || !holdsLongText(data, inlineBytes)) {
    const text = stringify(data) ?? 'null'
    const whole = !isPlain(data) || (!isLarge(text, inlineBytes) && !text.includes('"$value"'))
    if (whole) return { stored: data, text, values: NONE }
  }
  const values = new Map<string, string | Uint8Array>()
  const outer = mapValues(data, (value) =>
    isListOfObjects(value)
      ? value.map((item) => mapValues(item, (inner) => moveOut(inner, inlineBytes, values)))
      : moveOut(value, inlineBytes, values),
  )
  return { stored: values.size === 0 ? data : outer, text: JSON.stringify(outer), values }
}

function holdsLongText(data: Json, inlineBytes: number): boolean {
  for (const key in data) {
    const value = data[key]
    if (isLongText(value, inlineBytes)) return true
    if (!isListOfObjects(value)) continue
    for (const item of value) for (const inner in item) if (isLongText(item[inner], inlineBytes)) return true
  }
  return false
}

function isLongText(value: unknown, inlineBytes: number): boolean {
  return typeof value === 'string' ? value.length > inlineBytes : isEncoded(value)
}

/** The inverse of the above: puts values back where `encodeData` leaves references. @param load gives `undefined` for a lost value */
export function resolveData(data: unknown, load: (id: string) => unknown): unknown {
  if (!isPlain(data)) return data
  const restore = (value: unknown): unknown => (isReference(value) ? (load(value.$value) ?? value) : value)
  return mapValues(data, (value) => (isListOfObjects(value) ? value.map((item) => mapValues(item, restore)) : restore(value)))
}

function moveOut(value: unknown, inlineBytes: number, values: Map<string, string | Uint8Array>): unknown {
  if (isEncoded(value)) {
    values.set(value.valueId, value.jsonBytes)
    return { $value: value.valueId, bytes: value.jsonBytes.length }
  }
  // One UTF-16 unit takes at most six bytes of JSON, so most values need no second look.
  if (typeof value === 'string' ? value.length * 6 + 2 <= inlineBytes : typeof value !== 'object' || value === null) return value
  const recent = recentText?.value === value ? recentText : null
  const text = recent?.text ?? stringify(value)
  if (text === undefined || (!isReference(value) && !isLarge(text, inlineBytes))) return value
  const reference = recent?.reference ?? {
    $value: createHash('sha256').update(text).digest('hex'),
    bytes: Buffer.byteLength(text),
  }
  if (recent === null && typeof value === 'string') remember({ value, text, reference })
  values.set(reference.$value, text)
  return reference
}

/** The long text that was stored last: the same one often comes again in the next record, as a session's result. */
let recentText: { value: string; text: string; reference: ValueReference } | null = null
/** How long it is remembered, in milliseconds. */
const REMEMBERED = 1000

function remember(text: NonNullable<typeof recentText>): void {
  recentText = text
  setTimeout(() => {
    if (recentText === text) recentText = null
  }, REMEMBERED).unref()
}

/** JSON.stringify with its true type: what JSON has no form for gives `undefined`. */
function stringify(value: unknown): string | undefined {
  return JSON.stringify(value)
}

function isLarge(text: string, limit: number): boolean {
  return text.length > limit || (text.length * 3 > limit && Buffer.byteLength(text) > limit)
}

/** `Object.fromEntries` defines its keys, so a key `__proto__` stays a key. */
function mapValues(object: Json, change: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}

/** An object that JSON writes key by key: no list, and nothing that writes itself. */
function isPlain(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('toJSON' in value)
}

function isListOfObjects(value: unknown): value is Json[] {
  return Array.isArray(value) && value.length > 0 && value.every(isPlain)
}

function isEncoded(value: unknown): value is Encoded {
  return typeof value === 'object' && value !== null && 'jsonBytes' in value && value.jsonBytes instanceof Uint8Array
}

function isReference(value: unknown): value is ValueReference {
  return isPlain(value) && typeof value['$value'] === 'string' && typeof value['bytes'] === 'number'
}
