import { UnreadableExpression, parseExpression, referencesOf } from './expression.js'
import { asCondition, placeholdersOf } from './template.js'
import type { FileProblem } from '../../config/file-problem.js'
import { problemsOf } from '../../config/schema-problems.js'
import { YamlSource, isTooComplex, type Path } from '../../config/yaml-source.js'
import { workflowError } from './workflow-error.js'
import { WorkflowFile, type WorkflowInput } from './workflow-schema.js'
import { SERVER_LIMITS } from '../../limits.js'

/**
 * Reads a workflow file and checks its form, names, defaults and every expression.
 * @param file name of the file, for messages
 * @throws AipError `INVALID_WORKFLOW` that lists each problem with its line and column
 */
export function parseWorkflow(text: string, file: string): WorkflowFile {
  const known = PARSED.get(text)
  if (known !== undefined) return known
  const workflow = parse(text, file)
  const [oldest] = PARSED.keys()
  if (oldest !== undefined && PARSED.size >= SERVER_LIMITS.parsedWorkflows) PARSED.delete(oldest)
  PARSED.set(text, workflow)
  return workflow
}

/** The valid workflows that were read last, by their text: the same one is read when it is accepted, when it runs, and after a restart. */
const PARSED = new Map<string, WorkflowFile>()

function parse(text: string, file: string): WorkflowFile {
  const refusal = refusalOf(text)
  if (refusal !== null) throw workflowError(file, [{ line: 1, column: 1, message: refusal }])
  const source = new YamlSource(text)
  if (source.problems.length > 0) throw workflowError(file, source.problems)
  const parsed = WorkflowFile.safeParse(valueOf(source, file))
  if (!parsed.success)
    throw workflowError(
      file,
      parsed.error.issues.flatMap((issue) => problemsOf(issue, source)),
    )
  const problems = [...inputProblems(parsed.data, source), ...stepProblems(parsed.data, source)]
  if (problems.length > 0) throw workflowError(file, problems)
  return parsed.data
}

function refusalOf(text: string): string | null {
  const { workflowFile, expressions } = SERVER_LIMITS
  if (text.length > workflowFile) return `longer than ${workflowFile} characters`
  if (text.split('${{').length - 1 > expressions) return `more than ${expressions} expressions`
  return isTooComplex(text)
}

function valueOf(source: YamlSource, file: string): unknown {
  try {
    return source.value
  } catch (error) {
    throw workflowError(file, [source.problemAt([], error instanceof Error ? error.message : String(error))])
  }
}

function inputProblems({ inputs }: WorkflowFile, source: YamlSource): FileProblem[] {
  return Object.entries(inputs).flatMap(([name, input]) => {
    if (input.default === undefined) return []
    const complaint = complaintAbout(input, input.default)
    return complaint === null ? [] : [source.problemAt(['inputs', name, 'default'], `inputs.${name}.default: ${complaint}`)]
  })
}

/** Returns what is wrong with a value for an input, or null. */
export function complaintAbout({ type, options }: WorkflowInput, value: unknown): string | null {
  const actual = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  if (actual !== type) return `must be of type ${type}, not ${actual}`
  if (options !== undefined && !options.some((option) => option === value)) return `must be one of ${options.join(', ')}`
  return null
}

/** Finds problems of ids and expressions. A step may refer only to earlier steps. */
function stepProblems(workflow: WorkflowFile, source: YamlSource): FileProblem[] {
  const problems: FileProblem[] = []
  const inputs = new Set(Object.keys(workflow.inputs))
  const steps = new Set<string>()
  for (const [index, step] of workflow.steps.entries()) {
    const path = ['steps', index]
    const names = { inputs, steps, loop: step.foreach !== undefined }
    const check = (key: string, value: unknown, loop = names.loop): void => {
      problems.push(...templateProblems(value, [...path, key], source, { ...names, loop }))
    }
    if (typeof step.if === 'string')
      problems.push(...conditionProblems(step.if, [...path, 'if'], source, { ...names, loop: false }))
    if (step.foreach !== undefined) check('foreach', step.foreach, false)
    for (const key of ['with', 'agent', 'process', 'root'] as const) check(key, step[key])
    if (step.id === undefined) continue
    if (steps.has(step.id)) problems.push(source.problemAt([...path, 'id'], `another step has the id '${step.id}'`))
    steps.add(step.id)
  }
  return [...problems, ...templateProblems(workflow.result, ['result'], source, { inputs, steps, loop: false })]
}

/** What an expression may refer to. */
interface Names {
  inputs: ReadonlySet<string>
  steps: ReadonlySet<string>
  /** Inside a foreach: item and index. */
  loop: boolean
}

function templateProblems(value: unknown, path: Path, source: YamlSource, names: Names): FileProblem[] {
  if (typeof value === 'string') return textProblems(value, path, source, names)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) =>
    templateProblems(item, [...path, Array.isArray(value) ? Number(key) : key], source, names),
  )
}

/** A condition may omit `${{ }}`; then the whole text is the expression. */
function conditionProblems(condition: string, path: Path, source: YamlSource, names: Names): FileProblem[] {
  if (condition.includes('${{')) return textProblems(condition, path, source, names)
  return textProblems(asCondition(condition), path, source, names).map(({ message }) => source.problemAt(path, message))
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

function expressionProblems(expression: string, { inputs, steps, loop }: Names): { offset: number; message: string }[] {
  try {
    return referencesOf(parseExpression(expression)).flatMap(({ context, name }) => {
      const offset = expression.length - expression.trimStart().length
      if ((context === 'item' || context === 'index') && !loop)
        return [{ offset, message: `'${context}' exists only in a step with foreach` }]
      if (name === null) return []
      if (context === 'inputs' && !inputs.has(name)) return [{ offset, message: `there is no input '${name}'` }]
      if (context === 'steps' && !steps.has(name)) return [{ offset, message: `no step before this one has the id '${name}'` }]
      return []
    })
  } catch (error) {
    if (error instanceof UnreadableExpression) return [error]
    throw error
  }
}
