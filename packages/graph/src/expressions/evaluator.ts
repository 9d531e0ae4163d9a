import { Evaluator, data, type Expr } from '@actions/expressions'
import {
  Star,
  type Binary,
  type ContextAccess,
  type FunctionCall,
  type IndexAccess,
  type Literal,
} from '@actions/expressions/ast'
import { FilteredArray } from '@actions/expressions/filtered_array'
import type { FunctionDefinition } from '@actions/expressions/funcs/info'
import { parseWhole } from '@orrery/aip'
import { JsonObject, Undefined, WholeNumberData, wrap } from './json-data.js'

/** How an expression is evaluated. */
export interface EvaluatorOptions {
  context: Readonly<Record<string, unknown>>
  functions: ReadonlyMap<string, FunctionDefinition>
  /** Whether a name that does not exist is an error where it would become part of a text. */
  strict: boolean
  /** Found in each place-holder of a secret, and nowhere else. */
  secretMark: string | undefined
}

/** Functions that leave the secrets among their arguments whole. */
const PASSES_SECRETS: ReadonlySet<string> = new Set(['format', 'join', 'case'])
/** Functions to which a name that does not exist is a question, not a mistake. */
const TAKES_UNDEFINED: ReadonlySet<string> = new Set(['case', 'contains', 'startswith', 'endswith', 'length'])

/**
 * Evaluates expressions as GitHub does, except that objects with keys which differ only in case lose none, names that do not exist are noticed,
 * and integers keep all their 64 bits.
 */
export class JsonEvaluator extends Evaluator {
  readonly #options: EvaluatorOptions

  constructor(expression: Expr, options: EvaluatorOptions) {
    super(expression, new data.Dictionary())
    this.#options = options
  }

  override visitContextAccess({ name }: ContextAccess): data.ExpressionData {
    return new JsonObject(this.#options.context).get(name.lexeme) ?? new Undefined()
  }

  override visitLiteral(literal: Literal): data.ExpressionData {
    const { lexeme } = literal.token
    return literal.literal.kind === data.Kind.Number && /^-?\d{16,20}$/.test(lexeme) ? wrap(parseWhole(lexeme)) : literal.literal
  }

  override visitIndexAccess({ expr, index }: IndexAccess): data.ExpressionData {
    const object = this.eval(expr)
    if (index instanceof Star) {
      if (object instanceof FilteredArray) return filtered(object.values().flatMap(itemsOf))
      return filtered(itemsOf(object))
    }
    const key = this.eval(index)
    if (object instanceof FilteredArray) {
      const found = object.values().map((item) => itemAt(item, key))
      return filtered(found.filter((item) => !(item instanceof Undefined)))
    }
    return itemAt(object, key)
  }

  override visitBinary(binary: Binary): data.ExpressionData {
    const [left, right] = [this.eval(binary.left), this.eval(binary.right)]
    for (const side of [left, right])
      if (this.#isSecret(side)) throw new Error('a secret cannot be compared: it is put in only when the command is sent')
    const exact = left instanceof WholeNumberData || right instanceof WholeNumberData ? wholes(left, right) : null
    if (exact === null) return super.visitBinary(binary)
    const [first, second] = exact
    switch (binary.operator.lexeme) {
      case '==':
        return new data.BooleanData(first === second)
      case '!=':
        return new data.BooleanData(first !== second)
      case '<':
        return new data.BooleanData(first < second)
      case '<=':
        return new data.BooleanData(first <= second)
      case '>':
        return new data.BooleanData(first > second)
      default:
        return new data.BooleanData(first >= second)
    }
  }

  override visitFunctionCall({ functionName, args }: FunctionCall): data.ExpressionData {
    const name = functionName.lexeme.toLowerCase()
    const called = this.#options.functions.get(name)
    if (called === undefined) throw new Error(`there is no function '${functionName.lexeme}' here`)
    const values = args.map((arg) => this.eval(arg))
    if (this.#options.strict && !TAKES_UNDEFINED.has(name) && values.some((value) => value instanceof Undefined))
      throw new Error(`${functionName.lexeme}() gets a value that is not defined`)
    const passes = PASSES_SECRETS.has(name)
    if (!passes && values.some((value) => this.#isSecret(value))) throw notInto(functionName.lexeme)
    const result = called.call(...values)
    if (!passes && this.#isSecret(result)) throw notInto(functionName.lexeme)
    return result
  }

  #isSecret(value: data.ExpressionData): boolean {
    const { secretMark } = this.#options
    return secretMark !== undefined && value instanceof data.StringData && value.value.includes(secretMark)
  }
}

function notInto(name: string): Error {
  return new Error(`${name}() cannot look into a secret: it is put in only when the command is sent; use format()`)
}

function filtered(items: readonly data.ExpressionData[]): FilteredArray {
  const array = new FilteredArray()
  for (const item of items) array.add(item)
  return array
}

function itemsOf(value: data.ExpressionData): data.ExpressionData[] {
  return value instanceof data.Array || value instanceof data.Dictionary ? value.values() : []
}

function itemAt(object: data.ExpressionData, key: data.ExpressionData): data.ExpressionData {
  if (object instanceof data.Dictionary) return (key.primitive ? object.get(key.coerceString()) : undefined) ?? new Undefined()
  const at = Math.floor(key.number())
  if (!(object instanceof data.Array) || !(at >= 0)) return new Undefined()
  return object.values().length > at ? object.get(at) : new Undefined()
}

/** Returns two values as integers, if both are some. */
function wholes(left: data.ExpressionData, right: data.ExpressionData): [bigint, bigint] | null {
  const [first, second] = [wholeOf(left), wholeOf(right)]
  return first === null || second === null ? null : [first, second]
}

function wholeOf(value: data.ExpressionData): bigint | null {
  if (value instanceof WholeNumberData) return value.whole.value
  if (value instanceof data.NumberData) return Number.isInteger(value.value) ? BigInt(value.value) : null
  return value instanceof data.StringData && /^-?\d{1,20}$/.test(value.value) ? BigInt(value.value) : null
}
