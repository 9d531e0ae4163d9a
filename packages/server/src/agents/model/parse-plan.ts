import { z } from 'zod'
import { YamlSource } from '../../config/yaml-source.js'
import type { Work } from '@orrery/aip/records'

/** A plan in words, as the existing FollowerAgent takes it. Its other keys, such as `close`, are for a desktop of its own. */
const Plan = z.looseObject({
  task: z.string().min(1),
  steps: z.array(z.string().min(1)).min(1).max(100),
  object: z.string().nullish(),
})

/** The plan in a YAML or JSON text; null if it is none, such as a workflow, whose steps are no texts. */
export function parsePlan(text: string): Extract<Work, { kind: 'plan' }> | null {
  const source = new YamlSource(text)
  if (source.problems.length > 0) return null
  const plan = Plan.safeParse(valueOf(source))
  if (!plan.success) return null
  const { task, steps, object } = plan.data
  return { kind: 'plan', task, steps, object: object === undefined || object === '' ? null : object }
}

function valueOf(source: YamlSource): unknown {
  try {
    return source.value
  } catch {
    return null
  }
}
