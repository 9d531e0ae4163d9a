import type { Expr } from '@actions/expressions'
import { assertShort } from './functions.js'
import {
  UnreadableExpression,
  callsOf,
  evaluateExpression,
  isTrue,
  parseExpression,
  tellsStatus,
  type EvaluateOptions,
  type Scope,
} from './expression.js'
import type { JobStatus } from './functions.js'

/** One `${{ }}` of a text: its source, and where it begins and ends in the text. */
interface Placeholder {
  source: string
  start: number
  end: number
}

/**
 * Finds the `${{ }}` of a text. Quoted strings inside may contain `}}`.
 * @throws UnreadableExpression if one is not closed
 */
export function placeholdersOf(text: string): Placeholder[] {
  const found: Placeholder[] = []
  for (let start = text.indexOf('${{'); start >= 0; start = text.indexOf('${{', found.at(-1)?.end)) {
    const end = closingOf(text, start + 3)
    if (end < 0) throw new UnreadableExpression('${{ is not closed by }}', start)
    found.push({ source: text.slice(start + 3, end), start, end: end + 2 })
  }
  return found
}

function closingOf(text: string, from: number): number {
  let quoted = false
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "'") quoted = !quoted
    else if (!quoted && text.startsWith('}}', at)) return at
  }
  return -1
}

/** Finds every expression of a value, including texts inside lists and objects. @throws UnreadableExpression */
export function expressionsOf(value: unknown): Expr[] {
  if (typeof value === 'string') return placeholdersOf(value).map(({ source }) => parseExpression(source))
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(expressionsOf)
  return []
}

/**
 * Fills the templates of a value. A text that is a single `${{ }}` becomes its value, of any type; otherwise values are put
 * into the text, objects as JSON.
 * @throws Error if an expression cannot be evaluated, or gives too long a text; with `strict` also if its value is not defined, or null
 * inside of a text
 */
export function render(value: unknown, scope: Scope, options: EvaluateOptions = {}): unknown {
  if (typeof value === 'string') return renderText(value, scope, options)
  if (Array.isArray(value)) return value.map((item) => render(item, scope, options))
  if (isPlainObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, render(item, scope, options)]))
  return value
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function renderText(text: string, scope: Scope, options: EvaluateOptions): unknown {
  const placeholders = placeholdersOf(text)
  const [only] = placeholders
  if (only === undefined) return text
  if (only.start === 0 && only.end === text.trimEnd().length) return evaluate(only, scope, options) ?? null
  let rendered = ''
  let from = 0
  for (const placeholder of placeholders) {
    const value = evaluate(placeholder, scope, options)
    if (options.strict === true && value === null) throw notDefined(placeholder, 'is null')
    rendered += text.slice(from, placeholder.start) + asText(value)
    assertShort(rendered.length)
    from = placeholder.end
  }
  rendered += text.slice(from)
  assertShort(rendered.length)
  return rendered
}

function evaluate(placeholder: Placeholder, scope: Scope, options: EvaluateOptions): unknown {
  const value = evaluateExpression(parseExpression(placeholder.source), scope, options)
  if (options.strict === true && value === undefined) throw notDefined(placeholder, 'is not defined')
  return value
}

function notDefined({ source }: Placeholder, how: string): Error {
  const expression = source.trim()
  return new Error(`\${{ ${expression} }} ${how}: give a default, such as \${{ ${expression} || 'none' }}`)
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
}

/** Returns a condition as a template: `${{ }}` may be omitted, as in GitHub's workflows. */
export function asCondition(condition: string): string {
  return condition.includes('${{') ? condition : `\${{ ${condition} }}`
}

/**
 * Returns whether a step runs by its condition. One that does not say itself after which ends of earlier steps it holds needs `success()` too.
 * @param condition default: `success()`
 * @param always whether the condition alone decides, as in `finally`
 * @throws as {@link render}
 */
export function isMet(condition: string | boolean | undefined, scope: Scope, status: JobStatus, always = false): boolean {
  const wanted = typeof condition === 'string' ? asCondition(condition) : (condition ?? true)
  const decides = always || (typeof wanted === 'string' && expressionsOf(wanted).some(tellsStatus))
  if (!decides && status !== 'success') return false
  return isTrue(typeof wanted === 'string' ? render(wanted, scope, { status }) : wanted)
}

/** Returns whether a step may run after the workflow was cancelled: its condition says `always()` or `cancelled()`. */
export function mayRunCancelled(condition: string | boolean | undefined): boolean {
  if (typeof condition !== 'string') return false
  const calls = expressionsOf(asCondition(condition)).flatMap((expression) => callsOf(expression))
  return calls.some(({ name }) => /^(always|cancelled)$/i.test(name))
}
