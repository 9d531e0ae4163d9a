import { WholeNumber, shownName } from '@orrery/aip'
import { nameIn } from '../expressions/json-data.js'
import type { WorkflowFile, WorkflowInput } from './workflow-schema.js'

/** The inputs of a run, or what is wrong with those that were given. */
export type ResolvedInputs = { values: Record<string, unknown> } | { problems: readonly string[]; takes: string }

/** Returns the inputs of a run: the given ones, whatever the case of their names, and the defaults of the others. */
export function resolveInputs({ inputs }: WorkflowFile, given: Readonly<Record<string, unknown>>): ResolvedInputs {
  const problems: string[] = []
  const named = new Map<string, unknown>()
  for (const [key, value] of Object.entries(given)) {
    const name = nameIn(inputs, key)
    if (name === undefined) problems.push(`there is no input '${shownName(key)}'`)
    else if (named.has(name)) problems.push(`input '${name}' is given twice`)
    else named.set(name, value)
  }
  const values: Record<string, unknown> = {}
  for (const [key, input] of Object.entries(inputs)) {
    const value = named.has(key) ? named.get(key) : input.default
    if (value === undefined) problems.push(`input '${key}' is required`)
    else {
      const complaint = complaintAbout(input, value)
      if (complaint !== null) problems.push(`input '${key}' ${complaint}`)
      values[key] = value
    }
  }
  if (problems.length === 0) return { values }
  const takes = Object.entries(inputs).map(
    ([key, input]) => `${key} (${input.type}${input.default === undefined ? ', required' : ''})`,
  )
  return { problems, takes: takes.length === 0 ? 'no inputs' : takes.join(', ') }
}

/** Returns what is wrong with a value for an input, or null. */
export function complaintAbout({ type, options }: WorkflowInput, value: unknown): string | null {
  const actual = typeOf(value)
  if (actual !== type) return `must be of type ${type}, not ${actual}`
  if (options !== undefined && !options.some((option) => option === value)) return `must be one of ${options.join(', ')}`
  return null
}

function typeOf(value: unknown): string {
  if (value instanceof WholeNumber) return 'number'
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
}
