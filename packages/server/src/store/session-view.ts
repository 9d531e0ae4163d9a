import { isoTime } from '@orrery/aip'
import { Usage, type Session, type SessionEvent } from '@orrery/aip/api'
import { RECORD_SCHEMAS, type RecordData, type RecordType } from '@orrery/aip/records'
import { z } from 'zod'
import type { StoredRecord } from './session-store.js'

/** A record with its data parsed, large values in place. */
export type SessionRecord = {
  [T in RecordType]: { runId: string; seq: number; type: T; time: number; data: RecordData[T] }
}[RecordType]

const Turn = z.object({ value: z.object({ usage: Usage.omit({ turns: true }) }) })

/** Parses a stored record, written by this version or an older one. @throws ZodError if it does not match its type */
export function readRecord(stored: StoredRecord): SessionRecord {
  return { ...stored, data: RECORD_SCHEMAS[stored.type].parse(stored.data) } as SessionRecord
}

/** Converts a record to an event of the API. */
export function toEvent(record: StoredRecord, sessionId: string): SessionEvent {
  return { seq: record.seq, session_id: sessionId, time: isoTime(record.time), type: record.type, data: record.data }
}

/** Builds the session from its records; undefined if there are none. */
export function viewOf(records: readonly SessionRecord[]): Session | undefined {
  const [first, ...rest] = records
  if (first?.type !== 'accepted') return undefined
  const view = newView(first.runId, first.data, first.time)
  for (const record of rest) applyRecord(view, record)
  return view
}

/** Builds the session from its first record. */
export function newView(runId: string, accepted: RecordData['accepted'], time: number): Session {
  const { session_id, device_id, task_name, request } = accepted
  return {
    session_id,
    run_id: runId,
    device_id,
    task_name,
    agent: null,
    status: 'accepted',
    request,
    result: null,
    error: null,
    steps: 0,
    usage: null,
    question: null,
    waits_for: null,
    created_at: isoTime(time),
    started_at: null,
    ended_at: null,
  }
}

/** The parts of a record that change a session. */
export type Happening = { [T in RecordType]: { type: T; time: number; data: RecordData[T] } }[RecordType]

/** Applies one record to a session. Live sessions and those read from the log go through the same steps. */
export function applyRecord(view: Session, record: Happening): void {
  const { time } = record
  switch (record.type) {
    case 'accepted':
    case 'delivered':
      break
    case 'commands_sent':
      view.steps += 1
      markRunning(view, time)
      break
    case 'paused':
      view.status = 'paused'
      break
    case 'resumed':
      view.status = 'running'
      break
    case 'ended': {
      const { status, result, error, agent } = record.data
      Object.assign(view, { status, result: result ?? null, error, agent, question: null, ended_at: isoTime(time) })
      break
    }
    case 'agent_step':
      view.usage = withTurn(view.usage, record.data)
      markRunning(view, time)
      break
    case 'question':
      view.question = { question_id: record.data.question_id, text: record.data.text }
      markRunning(view, time)
      break
    case 'answer':
      view.question = null
      markRunning(view, time)
      break
    case 'results_received':
    case 'remark':
    case 'approval':
      markRunning(view, time)
      break
  }
}

/** Adds the model usage of one step of the agent; a step without a model changes nothing. */
function withTurn(usage: Usage | null, data: RecordData['agent_step']): Usage | null {
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

function markRunning(view: Session, time: number): void {
  if (view.status === 'accepted') view.status = 'running'
  view.started_at ??= isoTime(time)
}
