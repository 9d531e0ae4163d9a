import { withoutProse } from './tool-prose.js'
import { SERVER_LIMITS } from '../../limits.js'

type Json = Record<string, unknown>

/** Keywords that providers refuse at the top level of a schema. */
const REFUSED_AT_TOP = new Set(['oneOf', 'anyOf', 'allOf', 'not', 'enum', 'const', 'if', 'then', 'else'])
/** What names a schema or its standard: no model needs it, and some providers refuse it. */
const NAMES = new Set([
  '$schema',
  '$id',
  'id',
  '$anchor',
  '$vocabulary',
  '$dynamicAnchor',
  'nullable',
  'discriminator',
  'xml',
  'externalDocs',
])
/** The formats that providers know; one that they do not know spoils the request. */
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'])
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'])
/** What authors of schemas write for a type of JSON Schema. */
const TYPES_BY_OTHER_NAMES: Readonly<Record<string, string>> = {
  str: 'string',
  text: 'string',
  int: 'integer',
  long: 'integer',
  float: 'number',
  double: 'number',
  bool: 'boolean',
  list: 'array',
  tuple: 'array',
  dict: 'object',
  map: 'object',
}
const NUMBERS = new Set(
  'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems minProperties maxProperties'.split(
    ' ',
  ),
)
/** Keywords whose value is one schema, a list of them, or a map of names to them. */
const SCHEMAS = new Set(['not', 'if', 'then', 'else', 'contains', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties'])
const LISTS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
/** The names of arguments that all providers accept. */
const PROPERTY = /^[\w.-]{1,64}$/

/**
 * Makes a schema of a device's tool one that every provider accepts, on all levels: a request has the schemas of all tools, and is refused
 * as a whole for one of them. What it leaves out only describes: the tool itself still judges its arguments.
 * @param schema as the device lists it, which may be anything
 */
export function acceptableSchema(schema: Json | null): Json {
  const known = withoutProse(schema ?? {}) as Json
  const kept = Object.fromEntries(Object.entries(known).filter(([key]) => !REFUSED_AT_TOP.has(key)))
  const mended = mend(kept, kept, SERVER_LIMITS.modelSchemaDepth)
  return { properties: {}, ...mended, type: 'object' }
}

function mend(schema: Json, root: Json, depth: number): Json {
  if (depth === 0) return {}
  const { $ref } = schema
  if ($ref !== undefined) return typeof $ref === 'string' && leadsSomewhere($ref, root) ? { $ref } : {}
  const entries = Object.entries(schema).flatMap(([key, value]): [string, unknown][] => {
    const mended = keyword(key, value, root, depth - 1)
    return mended === undefined ? [] : [[key, mended]]
  })
  const result: Json = Object.fromEntries(entries)
  const types = [result['type']].flat()
  if (types.includes('array') && result['items'] === undefined) result['items'] = {}
  return withKnownProperties(result, schema['required'])
}

/** Returns what is left of a keyword; undefined if it is left out. */
function keyword(key: string, value: unknown, root: Json, depth: number): unknown {
  if (NAMES.has(key) || key === 'required') return undefined
  if (NUMBERS.has(key)) return typeof value === 'number' ? value : undefined
  if (MAPS.has(key)) return isObject(value) ? mapOf(value, root, depth) : undefined
  if (LISTS.has(key)) return listOf(value, root, depth)
  if (SCHEMAS.has(key)) return isSchema(value) ? schemaOf(value, root, depth) : undefined
  switch (key) {
    case 'type':
      return typeOf(value)
    case 'items':
      // A list of schemas, one for each place, is of an older standard.
      return isSchema(value) ? schemaOf(value, root, depth) : undefined
    case 'additionalProperties':
      return typeof value === 'boolean' ? value : isObject(value) ? mend(value, root, depth) : undefined
    case 'enum':
      return Array.isArray(value) && value.length > 0 ? uniqueOf(value) : undefined
    case 'format':
      return typeof value === 'string' && FORMATS.has(value) ? value : undefined
    case 'pattern':
      return typeof value === 'string' && isWholePattern(value) ? value : undefined
    case 'uniqueItems':
      return typeof value === 'boolean' ? value : undefined
    case 'const':
      return value
    default:
      return undefined
  }
}

/** Keeps the names of required arguments that there are, and leaves out optional ones whose name a provider would refuse. */
function withKnownProperties(schema: Json, listed: unknown): Json {
  const { properties } = schema
  const names = Array.isArray(listed) ? uniqueOf(listed).filter((name) => typeof name === 'string') : []
  if (!isObject(properties)) return schema
  const required = names.filter((name) => Object.hasOwn(properties, name))
  const kept = Object.entries(properties).filter(([name]) => PROPERTY.test(name) || required.includes(name))
  return { ...schema, properties: Object.fromEntries(kept), ...(required.length === 0 ? {} : { required }) }
}

function mapOf(value: Json, root: Json, depth: number): Json {
  const schemas = Object.entries(value).filter(([, each]) => each === true || isObject(each))
  return Object.fromEntries(schemas.map(([name, each]) => [name, schemaOf(each, root, depth)]))
}

function listOf(value: unknown, root: Json, depth: number): unknown[] | undefined {
  const schemas = Array.isArray(value) ? value.filter(isSchema) : []
  return schemas.length === 0 ? undefined : schemas.map((each) => schemaOf(each, root, depth))
}

/** `true` is a schema that allows everything; providers want an object. */
function schemaOf(value: unknown, root: Json, depth: number): Json {
  return isObject(value) ? mend(value, root, depth) : value === false ? { not: {} } : {}
}

function typeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    const known = uniqueOf(value.map(oneType).filter((type) => type !== undefined))
    return known.length === 0 ? undefined : known
  }
  return oneType(value)
}

function oneType(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const name = value.toLowerCase()
  return TYPES.has(name) ? name : TYPES_BY_OTHER_NAMES[name]
}

/** Some endpoints make a grammar of a pattern, which has to describe the whole text. */
function isWholePattern(pattern: string): boolean {
  if (!/^\^.*\$$/s.test(pattern) || /\(\?|\\[bBpPkAZz\d]/.test(pattern)) return false
  try {
    return new RegExp(pattern, 'u').source !== ''
  } catch {
    return false
  }
}

function leadsSomewhere(reference: string, root: Json): boolean {
  if (reference === '#') return true
  if (!reference.startsWith('#/')) return false
  const path = reference.slice(2).split('/')
  const found = path.reduce<unknown>((at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined), root)
  return isObject(found)
}

function uniqueOf(values: readonly unknown[]): unknown[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}

function isSchema(value: unknown): boolean {
  return typeof value === 'boolean' || isObject(value)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
