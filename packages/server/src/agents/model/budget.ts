import { type AipError } from '@orrery/aip'
import type { ModelLimits } from './model-settings.js'
import type { Turn, TurnUsage } from './turn.js'
import { serverError } from '../../errors.js'

/** Adds up the usage of several turns; the cost is null if that of any turn is unknown. */
export function sumOf(turns: readonly Pick<Turn, 'usage'>[]): TurnUsage {
  const sum = (key: 'input_tokens' | 'output_tokens' | 'cached_tokens'): number =>
    turns.reduce((total, { usage }) => total + usage[key], 0)
  const costs = turns.map(({ usage }) => usage.cost_usd)
  return {
    input_tokens: sum('input_tokens'),
    output_tokens: sum('output_tokens'),
    cached_tokens: sum('cached_tokens'),
    cost_usd: costs.every((cost) => cost !== null) ? costs.reduce((total, cost) => total + cost, 0) : null,
  }
}

/** Returns why a session may not have another turn; null if it may. @param elapsedMs milliseconds since it began */
export function spent(turns: readonly Pick<Turn, 'usage'>[], elapsedMs: number, limits: ModelLimits): AipError | null {
  const { input_tokens: input, output_tokens: output, cost_usd: cost } = sumOf(turns)
  if (turns.length >= limits.steps) return over(`${limits.steps} steps`, 'model.limits.steps')
  if (limits.tokens !== null && input + output >= limits.tokens) return over(`${input + output} tokens`, 'model.limits.tokens')
  if (limits.timeMs !== null && elapsedMs >= limits.timeMs)
    return over(`${Math.round(elapsedMs / 1000)} s`, 'model.limits.time_s')
  if (limits.cost !== null && cost !== null && cost >= limits.cost) return over(`$${cost.toFixed(4)}`, 'model.limits.cost_usd')
  return null
}

function over(what: string, setting: string): AipError {
  return serverError('MODEL_BUDGET_SPENT', { what, setting })
}
