import type { Session, SessionStatus } from '@orrery/aip/api'
import type { Style } from '../terminal/painted.js'

/** The colour of a session's status. */
export const STATUS_STYLE: Record<SessionStatus, Style> = {
  accepted: 'dim',
  running: 'cyan',
  paused: 'yellow',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
}

/** What a session used of a model, in words; empty if it asked none. */
export function usageLine(usage: Session['usage']): string {
  if (usage === null) return ''
  const tokens = (count: number): string => (count < 10_000 ? String(count) : `${Math.round(count / 1000)}k`)
  const turns = usage.turns === 1 ? '1 step' : `${usage.turns} steps`
  const cost = usage.cost_usd === null || usage.cost_usd === 0 ? '' : `, $${usage.cost_usd.toFixed(usage.cost_usd < 0.1 ? 4 : 2)}`
  return `${turns} of the model, ${tokens(usage.input_tokens)} tokens in, ${tokens(usage.output_tokens)} out${cost}`
}

/** How long a session has run, or ran, in milliseconds; null while it waits. */
export function runTime(session: Session, now: number = Date.now()): number | null {
  if (session.started_at === null) return null
  return (session.ended_at === null ? now : Date.parse(session.ended_at)) - Date.parse(session.started_at)
}
