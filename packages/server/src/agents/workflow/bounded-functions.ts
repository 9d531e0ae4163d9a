import { exceeds, jsonShape, LIMITS } from '@orrery/aip'
import { data } from '@actions/expressions'
import { wellKnownFunctions } from '@actions/expressions/funcs'
import type { FunctionDefinition } from '@actions/expressions/funcs/info'
import { SERVER_LIMITS } from '../../limits.js'

const SHAPE = { depth: LIMITS.nesting, values: LIMITS.resultValues, widest: LIMITS.resultKeys }

/**
 * The functions of expressions that can make much of little: each says how long its text will be before it is made, so that nested
 * calls cannot fill the memory.
 */
export const BOUNDED_FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(
  Object.entries<(...args: (data.ExpressionData | undefined)[]) => void>({
    format(pattern, ...values) {
      const text = pattern?.coerceString() ?? ''
      assertShort(text.length, SERVER_LIMITS.expression)
      let length = text.length
      for (const [, index] of text.matchAll(/\{(\d+)/g)) length += values[Number(index)]?.coerceString().length ?? 0
      assertShort(length)
    },
    join(list, separator) {
      if (list?.kind !== data.Kind.Array) return
      const items = list.values()
      const between = (separator?.coerceString().length ?? 1) * items.length
      assertShort(items.reduce((sum, item) => sum + item.coerceString().length, between))
    },
    // What it writes is in memory already, and is written once.
    tojson: () => {},
    fromjson(text) {
      if (exceeds(jsonShape(text?.coerceString() ?? '', SHAPE), SHAPE)) throw new RangeError('the JSON has too many values')
    },
  }).flatMap(([name, check]) => {
    const { [name]: original } = wellKnownFunctions
    if (original === undefined) return []
    const call = (...args: data.ExpressionData[]): data.ExpressionData => {
      check(...args)
      const made = original.call(...args)
      if (made.kind === data.Kind.String) assertShort(made.coerceString().length)
      return made
    }
    return [[name, { ...original, call }] as const]
  }),
)

/** @throws RangeError if an expression gives a text that is too long */
export function assertShort(length: number, most: number = SERVER_LIMITS.expressionText): void {
  if (length > most) throw new RangeError(`an expression may give a text of ${most} characters at most`)
}
