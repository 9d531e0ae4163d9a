import { z } from 'zod'
import { closestName } from '../closest-name.js'
import { shownName } from '../define-errors.js'

/** The JSON body of a route, or an object in it. A key that it does not know is refused, and the error says which one was probably meant. */
export function body<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const names = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? unknownKeys(issue.keys, names) : undefined),
  })
}

/** Describes unknown keys, of which many may have come: the first is enough to find the mistake. */
export function unknownKeys(keys: readonly string[], names: readonly string[]): string {
  const [first = ''] = keys
  const meant = closestName(first, names)
  const hint = meant === null ? `there are: ${names.join(', ')}` : `did you mean '${meant}'?`
  return `unknown key '${shownName(first)}'; ${names.length === 0 ? 'the route takes no body' : hint}`
}
