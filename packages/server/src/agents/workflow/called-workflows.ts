import { shownName } from '@orrery/aip'
import { GRAPH_LIMITS, calledNames, checkCalls, type WorkflowFile } from '@orrery/graph'
import type { Work } from '@orrery/aip/records'
import { parseWorkflow } from './parse-workflow.js'
import { workflowError } from './workflow-error.js'

/** The text of a workflow and the name by which it is called. */
export interface NamedSource {
  name: string
  file: string
  source: string
}

/** The workflows that a workflow calls, and those that these call, by their names in lower case. */
export type CalledWorkflows = NonNullable<Extract<Work, { kind: 'workflow' }>['called']>

/**
 * Finds all workflows that a workflow calls, so that it is recorded whole.
 * @param find returns a workflow by its name @param names returns those that there are, for a message
 * @throws AipError `INVALID_WORKFLOW`: one does not exist or has mistakes, they call each other in a circle or too deep, or inputs do not fit
 */
export async function calledWorkflows(
  caller: NamedSource,
  find: (name: string) => Promise<NamedSource | null>,
  names: () => Promise<string>,
): Promise<CalledWorkflows> {
  const called: CalledWorkflows = {}
  /** How deep each was looked at; less deep it cannot show anything new. */
  const seen = new Map<string, number>()
  const visit = async ({ file, source }: NamedSource, trail: readonly string[]): Promise<void> => {
    const workflow = parseWorkflow(source, file)
    const found = new Map<string, WorkflowFile | string>()
    const next: NamedSource[] = []
    for (const name of calledNames(workflow)) {
      const circle = trail.findIndex((each) => each.toLowerCase() === name.toLowerCase())
      const target = circle < 0 ? await find(name) : null
      if (circle >= 0) found.set(name, `the workflows call each other in a circle: ${[...trail.slice(circle), name].join(' → ')}`)
      else if (target === null) found.set(name, `there is no workflow '${shownName(name)}'; there are: ${await names()}`)
      else if (trail.length >= GRAPH_LIMITS.workflowDepth)
        found.set(
          name,
          `workflows call each other ${GRAPH_LIMITS.workflowDepth} levels deep at most: ${[...trail, name].join(' → ')}`,
        )
      else {
        found.set(name, parseWorkflow(target.source, target.file))
        called[name.toLowerCase()] = { file: target.file, source: target.source }
        next.push({ ...target, name })
      }
    }
    const problems = checkCalls(source, workflow, (name) => found.get(name) ?? null)
    if (problems.length > 0) throw workflowError(file, problems)
    for (const target of next) {
      const lower = target.name.toLowerCase()
      if ((seen.get(lower) ?? 0) >= trail.length) continue
      seen.set(lower, trail.length)
      await visit(target, [...trail, target.name])
    }
  }
  await visit(caller, [caller.name])
  return called
}
