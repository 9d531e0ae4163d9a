import { LIMITS, exceeds, jsonShape, parseWhole } from '@orrery/aip'
import { data } from '@actions/expressions'
import { wellKnownFunctions } from '@actions/expressions/funcs'
import type { FunctionDefinition } from '@actions/expressions/funcs/info'
import { JsonList, unwrap, wrap } from './json-data.js'
import { GRAPH_LIMITS } from '../limits.js'

const SHAPE = { depth: LIMITS.nesting, values: LIMITS.resultValues, widest: LIMITS.resultKeys }

/** How the steps before have ended, as the functions `success()`, `failure()` and `cancelled()` tell it. */
export type JobStatus = 'success' | 'failure' | 'cancelled'

/** The functions that tell how the steps before have ended; only for conditions. */
export const STATUS_FUNCTIONS: ReadonlySet<string> = new Set(['always', 'cancelled', 'failure', 'success'])

type Call = FunctionDefinition['call']

function define(name: string, minArgs: number, maxArgs: number, call: Call): [string, FunctionDefinition] {
  return [name.toLowerCase(), { name, minArgs, maxArgs, call }]
}

/**
 * GitHub's functions, of which those that can make much of little say how long their text will be before it is made, so that nested calls cannot
 * fill the memory.
 */
const GITHUB = Object.entries<(...args: (data.ExpressionData | undefined)[]) => void>({
  case: () => {},
  contains: () => {},
  startswith: () => {},
  endswith: () => {},
  format(pattern, ...values) {
    const text = pattern?.coerceString() ?? ''
    assertShort(text.length, GRAPH_LIMITS.expression)
    let length = text.length
    for (const [, index] of text.matchAll(/\{(\d+)/g)) length += values[Number(index)]?.coerceString().length ?? 0
    assertShort(length)
  },
  join(list, separator) {
    if (!(list instanceof data.Array)) return
    const items = list.values()
    const between = (separator?.coerceString().length ?? 1) * items.length
    assertShort(items.reduce((sum, item) => sum + item.coerceString().length, between))
  },
}).flatMap(([name, check]) => {
  const { [name]: original } = wellKnownFunctions
  if (original === undefined) return []
  const call: Call = (...args) => {
    check(...args)
    return original.call(...args)
  }
  return [define(original.name, original.minArgs, original.maxArgs, call)]
})

const JSON_FUNCTIONS = [
  define('toJSON', 1, 1, (value) => {
    const text = JSON.stringify(unwrap(value), null, 2)
    assertShort(text.length)
    return new data.StringData(text)
  }),
  define('fromJSON', 1, 1, (value) => {
    const text = value.coerceString()
    if (text.trim() === '') throw new Error('fromJSON() gets an empty text')
    if (exceeds(jsonShape(text, SHAPE), SHAPE)) throw new RangeError('the JSON has too many values')
    try {
      return wrap(parseWhole(text))
    } catch (error) {
      throw new Error(`fromJSON() gets what is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
  }),
]

const TEXT_FUNCTIONS = [
  define('split', 1, 2, (text, separator) => new JsonList(split(text, separator))),
  define('trim', 1, 1, (text) => new data.StringData(textOf('trim', text).trim())),
  define('length', 1, 1, (value) => new data.NumberData(lengthOf(value))),
]

/** Returns the functions of expressions by their names in lower case. @param status of the steps before, for a condition */
export function functionsOf(status?: JobStatus): ReadonlyMap<string, FunctionDefinition> {
  return status === undefined ? PLAIN : new Map([...PLAIN, ...statusFunctions(status)])
}

const PLAIN: ReadonlyMap<string, FunctionDefinition> = new Map([...GITHUB, ...JSON_FUNCTIONS, ...TEXT_FUNCTIONS])

/** All functions, as a parser must know them. */
export const ALL_FUNCTIONS: readonly FunctionDefinition[] = [...functionsOf('success').values()].sort((a, b) =>
  a.name.localeCompare(b.name),
)

function statusFunctions(status: JobStatus): [string, FunctionDefinition][] {
  const holds = (name: string, value: boolean): [string, FunctionDefinition] =>
    define(name, 0, 0, () => new data.BooleanData(value))
  return [
    holds('always', true),
    holds('success', status === 'success'),
    holds('failure', status === 'failure'),
    holds('cancelled', status === 'cancelled'),
  ]
}

function split(text: data.ExpressionData | undefined, separator: data.ExpressionData | undefined): string[] {
  const whole = textOf('split', text)
  const between = separator === undefined ? null : textOf('split', separator)
  if (between === '') throw new Error("split() needs a separator, such as ','")
  // A text of lines ends with the end of its last line, which is not one more line.
  const parts = between === null ? (whole === '' ? [] : whole.replace(/\r?\n$/, '').split(/\r?\n/)) : whole.split(between)
  if (parts.length > GRAPH_LIMITS.splitItems) throw new RangeError(`split() gives at most ${GRAPH_LIMITS.splitItems} items`)
  return parts
}

function textOf(name: string, value: data.ExpressionData | undefined): string {
  if (value?.primitive !== true) throw new TypeError(`${name}() needs a text`)
  return value.coerceString()
}

function lengthOf(value: data.ExpressionData | undefined): number {
  if (value instanceof data.StringData) return value.value.length
  if (value instanceof data.Array) return value.values().length
  if (value instanceof data.Dictionary) return value.pairs().length
  if (value instanceof data.Null) return 0
  throw new TypeError('length() needs a text, a list or an object')
}

/** @throws RangeError if an expression gives a text that is too long */
export function assertShort(length: number, most: number = GRAPH_LIMITS.expressionText): void {
  if (length > most) throw new RangeError(`an expression may give a text of ${most} characters at most`)
}
