import { closestName } from '@orrery/aip'
import type { z } from 'zod'
import { DEVICE_LIMITS } from '../limits.js'

/**
 * What is wrong with the arguments of a call, for the caller.
 * @param known the names that the tool knows
 */
export function argumentMistakes({ issues }: z.ZodError, given: unknown, known: readonly string[]): string {
  const names = typeof given === 'object' && given !== null ? Object.keys(given) : []
  const strange = names.filter((name) => !known.includes(name))
  const mistakes = issues.map((issue) => mistakeOf(issue, given, strange))
  const shown = DEVICE_LIMITS.argumentMistakes
  const more = mistakes.length > shown ? [`and ${mistakes.length - shown} more`] : []
  return [...mistakes.slice(0, shown), ...more].join('; ')
}

function mistakeOf({ path, message }: z.core.$ZodIssue, given: unknown, strange: readonly string[]): string {
  const [name] = path
  const shown = path.map(String).join('.')
  if (path.length === 1 && typeof name === 'string' && !has(given, name)) {
    const meant = closestName(name, strange) ?? (strange.length === 1 ? strange[0] : undefined)
    return `'${name}' is missing${meant === undefined ? '' : ` (you gave '${meant}')`}`
  }
  const text = message.replace(/^Invalid input: /, '')
  return shown === '' ? text : `'${shown}': ${text}`
}

function has(given: unknown, name: string): boolean {
  return (
    typeof given === 'object' &&
    given !== null &&
    Object.entries(given).some(([key, value]) => key === name && value !== undefined)
  )
}
