import { Evaluator, Lexer, Parser, data, type Expr } from '@actions/expressions'
import { ContextAccess, FunctionCall, Grouping, IndexAccess, Binary, Literal, Logical, Unary } from '@actions/expressions/ast'
import { ExpressionError } from '@actions/expressions/errors'
import { BOUNDED_FUNCTIONS } from './bounded-functions.js'
import { SERVER_LIMITS } from '../../limits.js'

/** Names with which an expression may begin. */
const CONTEXTS = ['inputs', 'steps', 'item', 'index', 'device']

/** What an expression can refer to. All of it is JSON. */
export interface Scope {
  inputs: Record<string, unknown>
  steps: Record<string, unknown>
  device: { id: string; platform: string }
  item?: unknown
  index?: number
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
  if (source.length > SERVER_LIMITS.expression)
    throw new UnreadableExpression(`an expression may have ${SERVER_LIMITS.expression} characters at most`, 0)
  try {
    return new Parser(new Lexer(source).lex().tokens, CONTEXTS, []).parse()
  } catch (error) {
    if (error instanceof ExpressionError) throw new UnreadableExpression(error.message, error.pos.column)
    throw new UnreadableExpression(error instanceof Error ? error.message : String(error), 0)
  }
}

/**
 * Evaluates an expression to JSON.
 * @throws Error if a function cannot be applied, such as fromJSON to invalid JSON, or gives too long a text
 */
export function evaluateExpression(expression: Expr, scope: Scope): unknown {
  const context = JSON.parse(JSON.stringify(neededOf(scope, expression)), data.reviver) as data.Dictionary
  const functions = new Map(BOUNDED_FUNCTIONS)
  return JSON.parse(JSON.stringify(new Evaluator(expression, context, functions).evaluate(), data.replacer)) as unknown
}

/** The steps that an expression names: results may be large, and each evaluation copies what it is given. */
function neededOf(scope: Scope, expression: Expr): Scope {
  const named = referencesOf(expression).filter(({ context }) => context === 'steps')
  if (named.some(({ name }) => name === null)) return scope
  const names = new Set(named.map(({ name }) => name?.toLowerCase()))
  return { ...scope, steps: Object.fromEntries(Object.entries(scope.steps).filter(([id]) => names.has(id.toLowerCase()))) }
}

/** Returns whether a value counts as true: all but `false`, `0`, `''` and null, as in GitHub's expressions. */
export function isTrue(value: unknown): boolean {
  return value !== null && value !== false && value !== 0 && value !== ''
}

/** A literal name after a dot or in brackets, such as `steps.disk`. */
export interface Reference {
  context: string
  name: string | null
}

/** Returns all names that an expression refers to. */
export function referencesOf(expression: Expr): Reference[] {
  if (expression instanceof ContextAccess) return [{ context: expression.name.lexeme.toLowerCase(), name: null }]
  if (expression instanceof IndexAccess) {
    const { expr, index } = expression
    if (expr instanceof ContextAccess && index instanceof Literal) {
      return [{ context: expr.name.lexeme.toLowerCase(), name: index.literal.coerceString() }]
    }
    return [...referencesOf(expr), ...referencesOf(index)]
  }
  return childrenOf(expression).flatMap(referencesOf)
}

function childrenOf(expression: Expr): Expr[] {
  if (expression instanceof Grouping) return [expression.group]
  if (expression instanceof Unary) return [expression.expr]
  if (expression instanceof Binary) return [expression.left, expression.right]
  if (expression instanceof Logical || expression instanceof FunctionCall) return expression.args
  return []
}
