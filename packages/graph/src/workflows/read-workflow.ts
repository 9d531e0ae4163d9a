import { checkExpressions, type Names } from './check-expressions.js'
import { isObject, listOf, objectOf, repeatedNames } from './raw-values.js'
import { checkStepKind } from './check-step-kind.js'
import { complaintAbout } from './inputs.js'
import { WorkflowFile } from './workflow-schema.js'
import type { FileProblem } from '../yaml/file-problem.js'
import { problemsOf } from '../yaml/schema-problems.js'
import { YamlSource, isTooComplex, type Path } from '../yaml/yaml-source.js'
import { GRAPH_LIMITS } from '../limits.js'

/** A workflow file that is right, or all its mistakes. */
export type WorkflowReading = { workflow: WorkflowFile } | { problems: readonly FileProblem[] }

/** Reads a workflow file and checks its form, names, defaults and every expression. Never throws. */
export function readWorkflow(text: string): WorkflowReading {
  const refusal = refusalOf(text)
  if (refusal !== null) return { problems: [{ line: 1, column: 1, message: refusal }] }
  const source = new YamlSource(text)
  const unreadable = source.problems
  if (unreadable.length > 0) return { problems: unreadable }
  let raw: unknown
  try {
    raw = source.value
  } catch (error) {
    return { problems: [source.problemAt([], error instanceof Error ? error.message : String(error))] }
  }
  const parsed = WorkflowFile.safeParse(raw)
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, source))
  if (isObject(raw)) problems.push(...inputProblems(raw, source), ...stepProblems(raw, source))
  if (parsed.success && problems.length === 0) return { workflow: parsed.data }
  return { problems: problems.slice(0, GRAPH_LIMITS.fileProblems) }
}

function refusalOf(text: string): string | null {
  const { workflowFile, expressions } = GRAPH_LIMITS
  if (text.length > workflowFile) return `longer than ${workflowFile} characters`
  if (text.split('${{').length - 1 > expressions) return `more than ${expressions} expressions`
  return isTooComplex(text)
}

function inputProblems(raw: Record<string, unknown>, source: YamlSource): FileProblem[] {
  const inputs = objectOf(raw['inputs'])
  const repeated = repeatedNames(Object.keys(inputs)).map((name) =>
    source.problemAtKey(['inputs'], name, `another input is called '${name}': case does not count`),
  )
  const defaults = Object.entries(inputs).flatMap(([name, value]) => {
    const input = WorkflowFile.shape.inputs.unwrap().valueType.safeParse(value)
    if (!input.success || input.data.default === undefined) return []
    const complaint = complaintAbout(input.data, input.data.default)
    return complaint === null ? [] : [source.problemAt(['inputs', name, 'default'], `inputs.${name}.default: ${complaint}`)]
  })
  return [...repeated, ...defaults]
}

/** Finds problems of ids and expressions. A step may refer only to earlier steps. */
function stepProblems(raw: Record<string, unknown>, source: YamlSource): FileProblem[] {
  const problems: FileProblem[] = []
  const env = Object.keys(objectOf(raw['env']))
  const base: Names = { inputs: lower(Object.keys(objectOf(raw['inputs']))), env: lower(env), steps: new Set(), loop: false }
  const command: Names = { ...base, secrets: true }
  problems.push(...checkExpressions(raw['env'], ['env'], source, { ...command, env: new Set() }))
  problems.push(...checkExpressions(raw['agent'], ['agent'], source, base))
  const steps = new Set<string>()
  for (const part of ['steps', 'finally'])
    for (const [index, step] of listOf(raw[part]).entries()) {
      if (!isObject(step)) continue
      const path: Path = [part, index]
      problems.push(...checkStepKind(step, path, source))
      problems.push(...expressionProblems(step, path, source, { ...command, steps: new Set(steps) }))
      const { id } = step
      if (typeof id !== 'string') continue
      if (steps.has(id.toLowerCase())) problems.push(source.problemAt([...path, 'id'], `another step has the id '${id}'`))
      steps.add(id.toLowerCase())
    }
  return [...problems, ...checkExpressions(raw['result'], ['result'], source, { ...base, steps })]
}

function expressionProblems(step: Record<string, unknown>, path: Path, source: YamlSource, names: Names): FileProblem[] {
  const loop = step['foreach'] !== undefined
  const own = { ...names, loop, env: new Set([...names.env, ...lower(Object.keys(objectOf(step['env'])))]) }
  const plain = { ...own, secrets: false }
  const check = (key: string, allowed: Names): FileProblem[] => checkExpressions(step[key], [...path, key], source, allowed)
  return [
    ...check('if', { ...names, secrets: false, condition: true }),
    ...check('foreach', { ...names, secrets: false }),
    ...check('env', { ...names, loop }),
    ...['with', 'run'].flatMap((key) => check(key, own)),
    ...['name', 'working-directory', 'agent', 'process', 'root'].flatMap((key) => check(key, plain)),
  ]
}

function lower(names: readonly string[]): Set<string> {
  return new Set(names.map((name) => name.toLowerCase()))
}
