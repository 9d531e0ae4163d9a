import { isoTime } from '@orrery/aip'
import type { Session as SessionView, SessionEvent } from '@orrery/aip/api'
import { SessionStatus, Usage } from '@orrery/aip/api'
import { z } from 'zod'
import type { SessionRecord } from '../store/session-store.js'

const Accepted = z.object({ session_id: z.string(), device_id: z.string(), task_name: z.string(), request: z.string() })
const Asked = z.object({ question_id: z.string(), text: z.string() })
const Turn = z.object({ value: z.object({ usage: Usage.omit({ turns: true }) }) })
const Ended = z.object({ status: SessionStatus, result: z.unknown(), error: z.string().nullable(), agent: z.string().nullable() })

/** The session as it is at its first record. */
export function newView(record: SessionRecord): SessionView {
  const accepted = Accepted.parse(record.data)
  return {
    ...accepted,
    run_id: record.runId,
    agent: null,
    status: 'accepted',
    result: null,
    error: null,
    steps: 0,
    usage: null,
    question: null,
    created_at: isoTime(record.time),
    started_at: null,
    ended_at: null,
  }
}

/** Moves a session on by one record. Live sessions and those read from the log go through the same steps. */
export function applyRecord(view: SessionView, record: SessionRecord): void {
  switch (record.type) {
    case 'accepted':
    case 'delivered':
      break
    case 'commands_sent':
      view.steps += 1
      markRunning(view, record)
      break
    case 'paused':
      view.status = 'paused'
      break
    case 'resumed':
      view.status = 'running'
      break
    case 'ended': {
      const { status, result, error, agent } = Ended.parse(record.data)
      Object.assign(view, { status, result: result ?? null, error, agent, question: null, ended_at: isoTime(record.time) })
      break
    }
    case 'agent_step':
      view.usage = withTurn(view.usage, record.data)
      markRunning(view, record)
      break
    case 'question': {
      const { question_id, text } = Asked.parse(record.data)
      view.question = { question_id, text }
      markRunning(view, record)
      break
    }
    case 'answer':
      view.question = null
      markRunning(view, record)
      break
    case 'results_received':
    case 'remark':
    case 'approval':
      markRunning(view, record)
      break
  }
}

/** What the model has used, with one more step of the agent; steps that used no model change nothing. */
function withTurn(usage: Usage | null, data: Record<string, unknown>): Usage | null {
  const turn = Turn.safeParse(data)
  if (!turn.success) return usage
  const added = turn.data.value.usage
  const known = usage ?? { turns: 0, input_tokens: 0, output_tokens: 0, cached_tokens: 0, cost_usd: 0 }
  return {
    turns: known.turns + 1,
    input_tokens: known.input_tokens + added.input_tokens,
    output_tokens: known.output_tokens + added.output_tokens,
    cached_tokens: known.cached_tokens + added.cached_tokens,
    cost_usd: known.cost_usd === null || added.cost_usd === null ? null : known.cost_usd + added.cost_usd,
  }
}

function markRunning(view: SessionView, record: SessionRecord): void {
  if (view.status === 'accepted') view.status = 'running'
  view.started_at ??= isoTime(record.time)
}

/** The session that these records tell, or undefined if there are none. */
export function viewOf(records: readonly SessionRecord[]): SessionView | undefined {
  const [first, ...rest] = records
  if (first === undefined) return undefined
  const view = newView(first)
  for (const record of rest) applyRecord(view, record)
  return view
}

/** A record as an event of the API. */
export function toEvent(record: SessionRecord, sessionId: string): SessionEvent {
  return { seq: record.seq, session_id: sessionId, time: isoTime(record.time), type: record.type, data: record.data }
}
