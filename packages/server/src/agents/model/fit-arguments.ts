import { WholeNumber, parseWhole } from '@orrery/aip'
import { SERVER_LIMITS } from '../../limits.js'

type Json = Record<string, unknown>

/** The types of JSON Schema. */
type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'null'

interface Root {
  schema: Json
  /** How much more is looked at: a device may list a schema in which every part leads to many others. */
  steps: number
}

/**
 * Makes the arguments of a call what their schema asks for, where a model means the same: null for an optional one that may not be null is
 * left out, a text that holds JSON of the type that is asked for is taken as that, and a number or a truth value becomes a text where only
 * a text is allowed. Everything else stays as it is, for the tool to judge.
 */
export function fitArguments(input: Json, schema: Json | null): Json {
  return schema === null
    ? input
    : fitObject(input, schema, { schema, steps: SERVER_LIMITS.modelSchemaSteps }, SERVER_LIMITS.modelSchemaDepth)
}

function fitObject(value: Json, schema: Json, root: Root, depth: number): Json {
  const properties = new Map<string, unknown>()
  const required = new Set<unknown>()
  for (const part of partsOf(schema, root, depth)) {
    if (isObject(part['properties'])) for (const [name, each] of Object.entries(part['properties'])) properties.set(name, each)
    if (Array.isArray(part['required'])) for (const name of part['required'] as unknown[]) required.add(name)
  }
  const entries = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    const property = properties.get(name)
    if (!isObject(property)) return [[name, inner]]
    const fitted = fit(inner, property, root, depth - 1)
    const types = typesOf(property, root, depth - 1)
    const absent = !required.has(name) && isAbsent(fitted, types)
    return absent ? [] : [[name, fitted]]
  })
  return Object.fromEntries(entries)
}

/** Null counts as absent, and so do the words for it, where the schema has neither null nor texts. */
function isAbsent(value: unknown, types: ReadonlySet<JsonType> | null): boolean {
  if (types === null || types.has('null')) return false
  return value === null || (!types.has('string') && typeof value === 'string' && /^\s*(null|none|undefined)?\s*$/i.test(value))
}

function fit(value: unknown, schema: Json, root: Root, depth: number): unknown {
  if (depth <= 0 || (root.steps -= 1) <= 0) return value
  const types = typesOf(schema, root, depth)
  if (types === null) return value
  const fitted = typeof value === 'string' && !types.has('string') ? fromText(value, types) : value
  const isScalar = typeof fitted === 'number' || typeof fitted === 'boolean' || fitted instanceof WholeNumber
  if (isScalar && types.size === 1 && types.has('string')) return String(fitted)
  if (isObject(fitted)) return fitObject(fitted, schema, root, depth)
  if (!Array.isArray(fitted)) return fitted
  const items = partsOf(schema, root, depth)
    .map((part) => part['items'])
    .find(isObject)
  return items === undefined ? fitted : fitted.map((item: unknown) => fit(item, items, root, depth - 1))
}

function fromText(text: string, types: ReadonlySet<JsonType>): unknown {
  const value = parsed(/^\s*(True|False|TRUE|FALSE)\s*$/.test(text) ? text.toLowerCase() : text)
  return value !== undefined && [...types].some((type) => isOf(value, type)) ? value : text
}

/** Returns the types that a schema allows; null if it does not say. */
function typesOf(schema: Json, root: Root, depth: number): ReadonlySet<JsonType> | null {
  if (depth <= 0 || (root.steps -= 1) <= 0) return null
  const followed = resolved(schema, root, depth)
  const { type, nullable, enum: values } = followed
  const own = (Array.isArray(type) ? (type as unknown[]) : [type]).filter((each): each is JsonType => typeof each === 'string')
  const or = [followed['anyOf'], followed['oneOf']].find(Array.isArray) as unknown[] | undefined
  const found = new Set<JsonType>(own)
  if (own.length === 0 && or !== undefined) {
    for (const each of or) {
      const inner = isObject(each) ? typesOf(each, root, depth - 1) : null
      if (inner === null) return null
      for (const name of inner) found.add(name)
    }
  } else if (own.length === 0 && Array.isArray(values)) {
    for (const value of values as unknown[]) found.add(typeOf(value))
  } else if (own.length === 0 && Array.isArray(followed['allOf'])) {
    const first = (followed['allOf'] as unknown[]).find(isObject)
    return first === undefined ? null : typesOf(first, root, depth - 1)
  } else if (own.length === 0 && isObject(followed['properties'])) found.add('object')
  if (found.has('number')) found.add('integer')
  if (nullable === true) found.add('null')
  return found.size === 0 ? null : found
}

/** Returns a schema with all that it is put together of and that may hold. */
function partsOf(schema: Json, root: Root, depth: number): Json[] {
  if (depth <= 0 || (root.steps -= 1) <= 0) return []
  const followed = resolved(schema, root, depth)
  const inner = ['allOf', 'anyOf', 'oneOf'].flatMap((key) => (Array.isArray(followed[key]) ? (followed[key] as unknown[]) : []))
  return [followed, ...inner.filter(isObject).flatMap((part) => partsOf(part, root, depth - 1))]
}

function resolved(schema: Json, root: Root, depth: number): Json {
  const { $ref } = schema
  if (typeof $ref !== 'string' || !$ref.startsWith('#/') || depth <= 0) return schema
  const found = $ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (isObject(at) ? at[key.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined), root.schema)
  return isObject(found) ? resolved(found, root, depth - 1) : schema
}

function typeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (value instanceof WholeNumber) return 'number'
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object'
}

function isOf(value: unknown, type: JsonType): boolean {
  return type === 'integer' ? Number.isInteger(value) || value instanceof WholeNumber : typeOf(value) === type
}

function parsed(text: string): unknown {
  try {
    return parseWhole(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof WholeNumber)
}
