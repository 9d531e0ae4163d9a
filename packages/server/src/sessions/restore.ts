import { Command, Result } from '@orrery/aip'
import { z } from 'zod'
import type { SessionRecord } from '../store/session-store.js'
import type { PastBatch } from './command-dispatcher.js'
import { Work, type Task } from './task.js'

const Accepted = z.object({
  session_id: z.string(),
  device_id: z.string(),
  task_name: z.string(),
  owner: z.object({
    kind: z.enum(['operator', 'device', 'constellation']),
    client_id: z.string().nullable(),
    resumes: z.boolean().default(false),
  }),
  request_id: z.string().nullable(),
  assigned: z.boolean(),
  work: Work,
})
const Sent = z.object({
  response_id: z.string(),
  agent_name: z.string(),
  process_name: z.string(),
  root_name: z.string(),
  label: z.string().nullable().default(null),
  commands: z.array(Command),
})
const Received = z.object({ response_id: z.string(), results: z.array(Result) })
const Asked = z.object({ question_id: z.string(), text: z.string() })
const Answered = z.object({ question_id: z.string(), text: z.string().nullable() })
const Remarked = z.object({ text: z.string() })
const Step = z.object({ name: z.string(), value: z.unknown() })

/** A question to the user. `answer` is undefined while nobody has answered, and null if nobody did in time. */
export interface PastQuestion {
  id: string
  text: string
  answer: string | null | undefined
}

/** What the log knows of a session that had not ended: enough to go on. */
export interface PastSession {
  runId: string
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

/**
 * Reads a session from its records, with large values in place.
 * @throws ZodError if the records are not those of a session
 */
export function pastSession(records: readonly SessionRecord[]): PastSession {
  const [first] = records
  const accepted = Accepted.parse(first?.data)
  const task: Task = {
    sessionId: accepted.session_id,
    taskName: accepted.task_name,
    deviceId: accepted.device_id,
    owner: accepted.owner,
    requestId: accepted.request_id,
    work: accepted.work,
    assigned: accepted.assigned,
    transient: false,
  }
  const batches = new Map<string, PastBatch>()
  const steps: PastSession['steps'] = []
  const questions: PastQuestion[] = []
  const remarks: string[] = []
  for (const { type, data } of records) {
    if (type === 'commands_sent') {
      const sent = Sent.parse(data)
      batches.set(sent.response_id, { batch: batchOf(sent, task), results: null })
    } else if (type === 'results_received') {
      const { response_id: id, results } = Received.parse(data)
      const batch = batches.get(id)
      if (batch !== undefined) batch.results ??= results
    } else if (type === 'agent_step') steps.push(Step.parse(data))
    else if (type === 'question') {
      const { question_id: id, text } = Asked.parse(data)
      questions.push({ id, text, answer: undefined })
    } else if (type === 'answer') {
      const { question_id: id, text } = Answered.parse(data)
      const question = questions.find((asked) => asked.id === id)
      if (question !== undefined) question.answer = text
    } else if (type === 'remark') remarks.push(Remarked.parse(data).text)
  }
  return { runId: first?.runId ?? '', task, records, batches: [...batches.values()], steps, questions, remarks }
}

function batchOf(sent: z.infer<typeof Sent>, { sessionId, taskName }: Task): PastBatch['batch'] {
  return {
    sessionId,
    taskName,
    responseId: sent.response_id,
    agentName: sent.agent_name,
    processName: sent.process_name,
    rootName: sent.root_name,
    label: sent.label,
    actions: sent.commands,
  }
}
