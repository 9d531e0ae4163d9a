import { Lexer, Parser, type Expr } from '@actions/expressions'
import { ContextAccess, FunctionCall, Grouping, IndexAccess, Binary, Literal, Logical, Unary } from '@actions/expressions/ast'
import { ExpressionError } from '@actions/expressions/errors'
import { JsonEvaluator } from './evaluator.js'
import { ALL_FUNCTIONS, STATUS_FUNCTIONS, functionsOf, type JobStatus } from './functions.js'
import { Undefined, unwrap } from './json-data.js'
import { GRAPH_LIMITS } from '../limits.js'

/** Names with which an expression may begin. */
export const CONTEXTS = ['inputs', 'env', 'secrets', 'steps', 'item', 'index', 'device'] as const

/** What an expression can refer to. All of it is JSON. */
export interface Scope {
  inputs: Record<string, unknown>
  env?: Record<string, string>
  steps: Record<string, unknown>
  device: { id: string; platform: string }
  item?: unknown
  index?: number
  /** A place-holder for each secret; the values are put in where commands are sent. */
  secrets?: Record<string, string>
  /** Found in each of these place-holders, and nowhere else. */
  secretMark?: string
}

/** How an expression is evaluated. */
export interface EvaluateOptions {
  /** A name that does not exist is an error instead of null: for what becomes part of a command. */
  strict?: boolean
  /** How the steps before have ended: for a condition. */
  status?: JobStatus
}

/** An expression that cannot be parsed. `offset` is the position in its text. */
export class UnreadableExpression extends Error {
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** @param source the text between `${{` and `}}` @throws UnreadableExpression */
export function parseExpression(source: string): Expr {
  if (source.length > GRAPH_LIMITS.expression)
    throw new UnreadableExpression(`an expression may have ${GRAPH_LIMITS.expression} characters at most`, 0)
  let parsed: Expr | undefined
  try {
    // Without any words the parser gives nothing.
    parsed = new Parser(new Lexer(source).lex().tokens, [...CONTEXTS], [...ALL_FUNCTIONS]).parse() as Expr | undefined
  } catch (error) {
    if (!(error instanceof ExpressionError))
      throw new UnreadableExpression(error instanceof Error ? error.message : String(error), 0)
    throw new UnreadableExpression(`${error.message}${whatThereIs(error.message)}`, offsetOf(source, error.pos))
  }
  if (parsed === undefined) throw new UnreadableExpression('the expression is empty', 0)
  return parsed
}

/** Returns what could have been meant by a name that does not exist. */
function whatThereIs(problem: string): string {
  if (problem.startsWith('Unrecognized function')) return `; there are: ${ALL_FUNCTIONS.map(({ name }) => name).join(', ')}`
  if (problem.startsWith('Unrecognized named-value')) return `; there are: ${CONTEXTS.join(', ')}`
  return ''
}

function offsetOf(source: string, { line, column }: { line: number; column: number }): number {
  const lines = source.split('\n')
  return lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0) + column
}

/** A value that an expression gives; `undefined` only for a name that does not exist. */
export function evaluateExpression(expression: Expr, scope: Scope, { strict = false, status }: EvaluateOptions = {}): unknown {
  const { secretMark, ...context } = scope
  const value = new JsonEvaluator(expression, { context, functions: functionsOf(status), strict, secretMark }).evaluate()
  return value instanceof Undefined ? undefined : unwrap(value)
}

/** Returns whether a value counts as true: all but `false`, `0`, `''` and null, as in GitHub's expressions. */
export function isTrue(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '' && !Number.isNaN(value)
}

/** Returns whether an expression says itself after which ends of earlier steps it holds: by `always()`, `failure()` and the like. */
export function tellsStatus(expression: Expr): boolean {
  return callsOf(expression).some(({ name }) => STATUS_FUNCTIONS.has(name.toLowerCase()))
}

/** A function that an expression calls. */
export interface FunctionUse {
  name: string
  /** Where it is in the text of the expression. */
  offset: number
}

/** Returns all functions that an expression calls. @param source its text, for the positions */
export function callsOf(expression: Expr, source = ''): FunctionUse[] {
  const inside = childrenOf(expression).flatMap((child) => callsOf(child, source))
  if (!(expression instanceof FunctionCall)) return inside
  const { lexeme, range } = expression.functionName
  return [{ name: lexeme, offset: offsetOf(source, range.start) }, ...inside]
}

/** A literal name after a dot or in brackets, such as `steps.disk`. */
export interface Reference {
  context: string
  /** Null if the expression takes the whole context, or a name that it computes. */
  name: string | null
  /** Where it is in the text of the expression. */
  offset: number
}

/** Returns all names that an expression refers to. @param source its text, for the positions */
export function referencesOf(expression: Expr, source = ''): Reference[] {
  if (expression instanceof ContextAccess) return [referenceTo(expression, null, source)]
  if (expression instanceof IndexAccess) {
    const { expr, index } = expression
    if (expr instanceof ContextAccess && index instanceof Literal)
      return [referenceTo(expr, index.literal.coerceString(), source)]
  }
  return childrenOf(expression).flatMap((child) => referencesOf(child, source))
}

function referenceTo({ name: { lexeme, range } }: ContextAccess, name: string | null, source: string): Reference {
  return { context: lexeme.toLowerCase(), name, offset: offsetOf(source, range.start) }
}

function childrenOf(expression: Expr): Expr[] {
  if (expression instanceof Grouping) return [expression.group]
  if (expression instanceof Unary) return [expression.expr]
  if (expression instanceof Binary) return [expression.left, expression.right]
  if (expression instanceof IndexAccess) return [expression.expr, expression.index]
  if (expression instanceof Logical || expression instanceof FunctionCall) return expression.args
  return []
}
