import { UnreadableExpression, callsOf, parseExpression, referencesOf, type Reference } from '../expressions/expression.js'
import { STATUS_FUNCTIONS } from '../expressions/functions.js'
import { asCondition, placeholdersOf } from '../expressions/template.js'
import type { FileProblem } from '../yaml/file-problem.js'
import type { Path, YamlSource } from '../yaml/yaml-source.js'

/** What an expression may refer to. Names are in lower case. */
export interface Names {
  inputs: ReadonlySet<string>
  env: ReadonlySet<string>
  steps: ReadonlySet<string>
  /** Inside a foreach: item and index. */
  loop: boolean
  secrets?: boolean
  /** It is an `if`: `${{ }}` may be left out, and there are success() and the like. */
  condition?: boolean
}

/** Finds the problems of every expression of a value, at their places. */
export function checkExpressions(value: unknown, path: Path, source: YamlSource, names: Names): FileProblem[] {
  if (typeof value === 'string') {
    if (names.condition !== true || value.includes('${{')) return textProblems(value, path, source, names)
    return textProblems(asCondition(value), path, source, names).map(({ message }) => source.problemAt(path, message))
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) =>
    checkExpressions(item, [...path, Array.isArray(value) ? Number(key) : key], source, names),
  )
}

function textProblems(text: string, path: Path, source: YamlSource, names: Names): FileProblem[] {
  const inText = (occurrence: number, offset: number, message: string): FileProblem =>
    source.problemInText(path, '${{', occurrence, offset, message)
  try {
    return placeholdersOf(text).flatMap(({ source: expression }, occurrence) =>
      expressionProblems(expression, names).map(({ offset, message }) => inText(occurrence, 3 + offset, message)),
    )
  } catch (error) {
    if (!(error instanceof UnreadableExpression)) throw error
    const occurrence = text.slice(0, error.offset).split('${{').length - 1
    return [inText(occurrence, 0, error.message)]
  }
}

interface Problem {
  offset: number
  message: string
}

function expressionProblems(source: string, names: Names): Problem[] {
  try {
    const expression = parseExpression(source)
    const statuses =
      names.condition === true ? [] : callsOf(expression, source).filter(({ name }) => STATUS_FUNCTIONS.has(name.toLowerCase()))
    return [
      ...statuses.map(({ name, offset }) => ({ offset, message: `${name}() is only for 'if'` })),
      ...referencesOf(expression, source).flatMap((reference) => {
        const message = complaintAboutName(reference, names)
        return message === null ? [] : [{ offset: reference.offset, message }]
      }),
    ]
  } catch (error) {
    if (error instanceof UnreadableExpression) return [error]
    throw error
  }
}

function complaintAboutName({ context, name }: Reference, { inputs, env, steps, loop, secrets = false }: Names): string | null {
  const lower = name?.toLowerCase()
  switch (context) {
    case 'item':
    case 'index':
      return loop ? null : `'${context}' exists only in a step with foreach`
    case 'secrets':
      if (!secrets) return "'secrets' is only for with, run and env"
      return lower === undefined ? 'a secret is named: secrets.NAME' : null
    case 'inputs':
      return lower === undefined || inputs.has(lower) ? null : `there is no input '${name}'`
    case 'env':
      return lower === undefined || env.has(lower) ? null : `there is no variable '${name}' in env`
    case 'steps':
      return lower === undefined || steps.has(lower) ? null : `no step before this one has the id '${name}'`
    default:
      return null
  }
}
