import { startOf } from '@orrery/aip'
import { SERVER_LIMITS } from '../../limits.js'

/** Keywords of JSON Schema that only describe, in words of the tool's author. */
const PROSE = new Set(['title', 'description', 'examples', 'default', '$comment'])
/** Keywords whose value maps names to schemas; a name may look like a keyword. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])

/** Returns a schema without the words of its author: a model's provider takes it for an instruction of Orrery. */
export function withoutProse(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutProse)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]: [string, unknown]) => {
      if (PROSE.has(key)) return []
      return [[key, MAPS.has(key) && isObject(value) ? mapValues(value, withoutProse) : withoutProse(value)]]
    }),
  )
}

/** Returns what the author of a schema says of its properties, by their path; empty if nothing. */
export function proseIn(schema: unknown, path = ''): Record<string, string> {
  if (!isObject(schema)) return {}
  const { properties, items, description } = schema
  const own =
    typeof description === 'string' && path !== '' ? { [path]: startOf(description, SERVER_LIMITS.modelToolDescription) } : {}
  const inner = isObject(properties)
    ? Object.entries(properties).map(([name, value]) => proseIn(value, path === '' ? name : `${path}.${name}`))
    : []
  return Object.assign(own, ...inner, isObject(items) ? proseIn(items, `${path}[]`) : {}) as Record<string, string>
}

function mapValues(value: Record<string, unknown>, change: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
