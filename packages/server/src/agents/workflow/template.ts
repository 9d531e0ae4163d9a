import type { Expr } from '@actions/expressions'
import { assertShort } from './bounded-functions.js'
import { UnreadableExpression, evaluateExpression, parseExpression, type Scope } from './expression.js'

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
 */
export function render(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') return renderText(value, scope)
  if (Array.isArray(value)) return value.map((item) => render(item, scope))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, render(item, scope)]))
  }
  return value
}

function renderText(text: string, scope: Scope): unknown {
  const placeholders = placeholdersOf(text)
  const [only] = placeholders
  if (only === undefined) return text
  if (only.start === 0 && only.end === text.trimEnd().length) return evaluate(only, scope)
  let rendered = ''
  let from = 0
  for (const placeholder of placeholders) {
    rendered += text.slice(from, placeholder.start) + asText(evaluate(placeholder, scope))
    assertShort(rendered.length)
    from = placeholder.end
  }
  rendered += text.slice(from)
  assertShort(rendered.length)
  return rendered
}

function evaluate({ source }: Placeholder, scope: Scope): unknown {
  return evaluateExpression(parseExpression(source), scope)
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
}

/** Returns a condition as a template: `${{ }}` may be omitted, as in GitHub's workflows. */
export function asCondition(condition: string): string {
  return condition.includes('${{') ? condition : `\${{ ${condition} }}`
}
