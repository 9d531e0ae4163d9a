import type { Agent, AgentContext } from '@orrery/server'
import { z } from 'zod'

/** The script of a scripted model, as recordings carry it in the request: `PLAN{json}NALP`. */
const Plan = z.object({
  steps: z
    .array(
      z.object({
        actions: z
          .array(z.object({ function: z.string().optional(), arguments: z.record(z.string(), z.unknown()).optional() }))
          .default([]),
      }),
    )
    .default([]),
  final: z.object({ status: z.string(), result: z.unknown() }).default({ status: 'FINISH', result: 'done' }),
})

const SCRIPT = /PLAN(\{.*\})NALP/s

/** The script in a text. @throws if there is none */
export function planIn(text: string): z.output<typeof Plan> {
  return Plan.parse(JSON.parse(SCRIPT.exec(text)?.[1] ?? ''))
}

/**
 * Follows the script in the request, with the frames that the recorded sessions have: first the tools are listed, then each step
 * is one batch (empty for a step without a function), then comes an empty batch for the final answer.
 */
export const planAgent: Agent = {
  name: 'plan',
  accepts: (work) => work.kind === 'words',
  async run(context) {
    const script = context.work.kind === 'words' ? SCRIPT.exec(context.work.request)?.[1] : undefined
    if (script === undefined) return { status: 'completed', result: null }
    const { steps, final } = Plan.parse(JSON.parse(script))
    await context.execute([{ tool_name: 'list_tools', parameters: { tool_type: 'action' }, tool_type: 'action' }])
    for (const { actions } of steps) await runStep(context, actions)
    await context.execute([])
    if (final.status !== 'FAIL') return { status: 'completed', result: final.result }
    return { status: 'failed', result: final.result, error: String(final.result) }
  },
}

async function runStep(context: AgentContext, actions: z.output<typeof Plan>['steps'][number]['actions']): Promise<void> {
  await context.execute(
    actions.flatMap(({ function: name, arguments: given }) =>
      name === undefined || name === '' ? [] : [{ tool_name: name, parameters: given ?? {}, tool_type: 'action' as const }],
    ),
  )
}
