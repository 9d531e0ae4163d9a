import { referencesOf } from '../expressions/expression.js'
import { expressionsOf, mayRunCancelled } from '../expressions/template.js'
import { nameIn } from '../expressions/json-data.js'
import { WORKFLOW_NAME, type WorkflowFile, type WorkflowStep } from './workflow-schema.js'
import type { FileProblem } from '../yaml/file-problem.js'
import { YamlSource } from '../yaml/yaml-source.js'

/** Returns the name of the workflow that `uses` calls; null if it calls none. */
export function calledName(uses: string): string | null {
  const name = uses.startsWith('workflow:') ? uses.slice('workflow:'.length) : ''
  return WORKFLOW_NAME.test(name) && name.length <= 64 ? name : null
}

/** Returns the names of the workflows that a workflow calls, each once. */
export function calledNames({ steps, finally: last }: WorkflowFile): string[] {
  const names = [...steps, ...last].flatMap(({ uses }) => (uses === undefined ? [] : (calledName(uses) ?? [])))
  return [...new Set(names)]
}

/** Returns the names of the secrets that a workflow uses itself, as they are written. */
export function secretNames({ env, steps, finally: last }: WorkflowFile): string[] {
  const values = [env, ...[...steps, ...last].map(({ with: args, env: own, run }) => [args, own, run])]
  const references = expressionsOf(values).flatMap((expression) => referencesOf(expression))
  return [...new Set(references.flatMap(({ context, name }) => (context === 'secrets' && name !== null ? [name] : [])))]
}

/** Returns whether a workflow has steps of its own that run after it was cancelled. */
export function runsCancelled({ steps, finally: last }: WorkflowFile): boolean {
  return last.length > 0 || steps.some((step) => mayRunCancelled(step.if))
}

/**
 * Finds calls of other workflows that give inputs which these do not take, or leave out required ones.
 * @param text of the calling workflow, which has no mistakes of its own
 * @param known returns a called workflow, what is wrong with the call, or null if it is not known here, which may be right
 */
export function checkCalls(
  text: string,
  workflow: WorkflowFile,
  known: (name: string) => WorkflowFile | string | null,
): FileProblem[] {
  const source = new YamlSource(text)
  const parts: readonly ['steps' | 'finally', readonly WorkflowStep[]][] = [
    ['steps', workflow.steps],
    ['finally', workflow.finally],
  ]
  return parts.flatMap(([part, steps]) =>
    steps.flatMap((step, index) => {
      const name = step.uses === undefined ? null : calledName(step.uses)
      const called = name === null ? null : known(name)
      if (called === null) return []
      const path = [part, index]
      if (typeof called === 'string') return [source.problemAt([...path, 'uses'], called)]
      const unknown = Object.keys(step.with).filter((key) => nameIn(called.inputs, key) === undefined)
      const missing = Object.entries(called.inputs).filter(
        ([key, input]) => input.default === undefined && nameIn(step.with, key) === undefined,
      )
      return [
        ...unknown.map((key) => source.problemAtKey([...path, 'with'], key, `workflow '${name}' has no input '${key}'`)),
        ...missing.map(([key]) => source.problemAt([...path, 'uses'], `workflow '${name}' needs the input '${key}'`)),
      ]
    }),
  )
}
