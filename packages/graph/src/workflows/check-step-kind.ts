import { calledName } from './calls.js'
import { objectOf } from './raw-values.js'
import type { FileProblem } from '../yaml/file-problem.js'
import type { Path, YamlSource } from '../yaml/yaml-source.js'

const KINDS = ['tool', 'run', 'uses'] as const
/** Keys that only some kinds of steps have. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  with: ['tool', 'uses'],
  'working-directory': ['run'],
  'ok-exit-codes': ['tool', 'run'],
  timeout_ms: ['tool', 'run'],
}
const COPY_KEYS: ReadonlySet<string> = new Set(['from', 'to', 'overwrite'])

/** Finds out whether a step is exactly one of a tool, a command, and something that it uses, with the keys that belong to it. */
export function checkStepKind(step: Record<string, unknown>, path: Path, source: YamlSource): FileProblem[] {
  const kinds = KINDS.filter((kind) => step[kind] !== undefined)
  const [kind, second] = kinds
  if (kind === undefined) return [source.problemAt(path, 'a step needs one of tool, run and uses')]
  if (second !== undefined)
    return [source.problemAtKey(path, second, `a step has only one of tool, run and uses, and this has ${kinds.join(' and ')}`)]
  const strange = Object.entries(ONLY)
    .filter(([key, allowed]) => step[key] !== undefined && !allowed.includes(kind))
    .map(([key, allowed]) => source.problemAtKey(path, key, `'${key}' is for steps with ${allowed.join(' or ')}`))
  return kind === 'uses' ? [...strange, ...usesProblems(step, path, source)] : strange
}

function usesProblems({ uses, with: given }: Record<string, unknown>, path: Path, source: YamlSource): FileProblem[] {
  if (typeof uses !== 'string') return []
  if (uses !== 'cp')
    return calledName(uses) === null ? [source.problemAt([...path, 'uses'], "uses: must be 'cp' or 'workflow:NAME'")] : []
  const args = objectOf(given)
  const missing = ['from', 'to'].filter((key) => typeof args[key] !== 'string')
  const unknown = Object.keys(args).filter((key) => !COPY_KEYS.has(key))
  return [
    ...missing.map((key) => source.problemAt([...path, 'with'], `cp needs '${key}': a path, or DEVICE:PATH`)),
    ...unknown.map((key) => source.problemAtKey([...path, 'with'], key, `cp has no '${key}'; it takes from, to and overwrite`)),
  ]
}
