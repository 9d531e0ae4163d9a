import type { z } from 'zod'
import type { FileProblem } from './file-problem.js'
import type { YamlSource } from './yaml-source.js'

/** Locates an issue of a schema in the file; an unknown key at the key itself. */
export function problemsOf(issue: z.core.$ZodIssue, source: YamlSource): FileProblem[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => source.problemAtKey(path, key, `unknown key '${key}'`))
  }
  const key = path.at(-1)
  if (issue.code === 'invalid_key' && typeof key === 'string') {
    return [source.problemAtKey(path.slice(0, -1), key, `'${key}' is not a valid name`)]
  }
  const name = path.join('.')
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined'))
    return [source.problemAt(path, name === '' ? 'the file is empty' : `${name}: is missing`)]
  return [source.problemAt(path, name === '' ? issue.message : `${name}: ${issue.message}`)]
}
