import { z } from 'zod'
import { YamlSource } from '@orrery/graph'
import type { Work } from '@orrery/aip/records'

/** A plan in words, as the existing FollowerAgent accepts it. Its other keys, such as `close`, only concern that agent's own desktop. */
const Plan = z.looseObject({
  task: z.string().min(1),
  steps: z.array(z.string().min(1)).min(1).max(100),
  object: z.string().nullish(),
})

/** Reads the plan in a YAML or JSON text; null if it is not a plan, such as a workflow, whose steps are not texts. */
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
