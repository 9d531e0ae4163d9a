import { parseWhole } from './whole-number.js'

/**
 * A large value as the bytes of its JSON, so that a process which only passes it on never makes it into objects. JSON writes it as the
 * value itself.
 */
export class EncodedValue {
  /** The SHA-256 of the bytes, in hexadecimal. */
  readonly valueId: string
  /** JSON in UTF-8. */
  readonly jsonBytes: Uint8Array

  constructor(valueId: string, jsonBytes: Uint8Array) {
    this.valueId = valueId
    this.jsonBytes = jsonBytes
  }

  toJSON(): unknown {
    return parseWhole(new TextDecoder().decode(this.jsonBytes))
  }
}

/** How deep values are looked for: results are a list in a field, and in a `task_end` the result of one request. */
const DEPTH = 6

/**
 * Returns the JSON of a value that holds an {@link EncodedValue}, as UTF-8: its bytes are copied, which takes a hundredth of the time of making
 * objects and then text of them. Undefined if it holds none.
 */
export function encodedJson(value: unknown): Uint8Array | undefined {
  if (!holdsEncoded(value, DEPTH)) return undefined
  // Random, so that no part of the value holds it.
  const mark = crypto.randomUUID()
  const taken: EncodedValue[] = []
  const text = JSON.stringify(withMarks(value, DEPTH, (encoded) => `${mark} ${taken.push(encoded) - 1}`))
  const utf8 = new TextEncoder()
  const parts: Uint8Array[] = []
  let from = 0
  for (const [index, { jsonBytes }] of taken.entries()) {
    const quoted = JSON.stringify(`${mark} ${index}`)
    const at = text.indexOf(quoted, from)
    parts.push(utf8.encode(text.slice(from, at)), jsonBytes)
    from = at + quoted.length
  }
  return joined([...parts, utf8.encode(text.slice(from))])
}

function holdsEncoded(value: unknown, depth: number): boolean {
  if (value instanceof EncodedValue) return true
  if (typeof value !== 'object' || value === null || depth === 0) return false
  for (const key in value) if (holdsEncoded(Reflect.get(value, key), depth - 1)) return true
  return false
}

/** Returns a copy in which each encoded value is replaced by its mark. */
function withMarks(value: unknown, depth: number, mark: (value: EncodedValue) => string): unknown {
  if (value instanceof EncodedValue) return mark(value)
  if (typeof value !== 'object' || value === null || !holdsEncoded(value, depth)) return value
  if (Array.isArray(value)) return value.map((item) => withMarks(item, depth - 1, mark))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withMarks(item, depth - 1, mark)]))
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
