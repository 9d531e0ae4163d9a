import type { Result } from '@orrery/aip'
import type { RecordData } from '@orrery/aip/records'
import type { SessionRecord } from '../store/session-view.js'
import type { Batch } from './peers.js'
import { askerOf, type Task } from './task.js'

/** A batch of a session that is continued from the log. */
export interface PastBatch {
  batch: Batch
  /** Null if it was in flight when the server died. */
  results: Result[] | null
}

/** A question to the user. `answer` is undefined while it is open, and null if it expired. */
export interface PastQuestion {
  id: string
  text: string
  answer: string | null | undefined
}

/** What the log knows about a session that had not ended: enough to continue it. */
export interface PastSession {
  task: Task
  records: readonly SessionRecord[]
  batches: PastBatch[]
  /** Recorded answers of the agent's steps, in order. */
  steps: { name: string; value: unknown }[]
  /** Questions to the user, in order. */
  questions: PastQuestion[]
  /** What users have added, in order. */
  remarks: string[]
}

/** Reads a session from its records, large values in place. @throws Error if they are not those of a session */
export function pastSession(records: readonly SessionRecord[]): PastSession {
  const [first] = records
  if (first?.type !== 'accepted') throw new Error('its first record is not `accepted`')
  const task = taskOf(first.data)
  const past: PastSession = { task, records, batches: [], steps: [], questions: [], remarks: [] }
  const sent = new Map<string, PastBatch>()
  for (const record of records) {
    if (record.type === 'commands_sent') {
      sent.set(record.data.response_id, { batch: batchOf(record.data, task), results: null })
    } else if (record.type === 'results_received') {
      const { response_id: id, results } = record.data
      const batch = sent.get(id)
      if (batch !== undefined) batch.results ??= results
    } else if (record.type === 'agent_step') past.steps.push({ name: record.data.name, value: record.data.value })
    else if (record.type === 'question') {
      past.questions.push({ id: record.data.question_id, text: record.data.text, answer: undefined })
    } else if (record.type === 'answer') {
      const { question_id: id, text } = record.data
      const question = past.questions.find((asked) => asked.id === id)
      if (question !== undefined) question.answer = text
    } else if (record.type === 'remark') past.remarks.push(record.data.text)
  }
  past.batches.push(...sent.values())
  return past
}

function taskOf(accepted: RecordData['accepted']): Task {
  return {
    sessionId: accepted.session_id,
    taskName: accepted.task_name,
    deviceId: accepted.device_id,
    owner: accepted.owner,
    requestId: accepted.request_id,
    work: accepted.work,
    assigned: accepted.assigned,
  }
}

function batchOf(sent: RecordData['commands_sent'], task: Task): Batch {
  const { sessionId, taskName, work } = task
  return {
    sessionId,
    taskName,
    responseId: sent.response_id,
    agentName: sent.agent_name,
    processName: sent.process_name,
    rootName: sent.root_name,
    label: sent.label,
    actions: sent.commands,
    secrets: sent.secrets ?? [],
    asker: askerOf(task),
    concurrent: work.kind === 'commands' && work.concurrent === true,
  }
}
