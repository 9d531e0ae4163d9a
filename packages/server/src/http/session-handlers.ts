import { aipError } from '@orrery/aip'
import type { CreateSession, Session } from '@orrery/aip/api'
import type { z } from 'zod'
import type { WorkflowLibrary } from '../agents/workflow/workflow-library.js'
import { isTaskName } from '../connection/task-intake.js'
import { operatorTask, type Work } from '../sessions/task.js'
import { toCommand } from './command-input.js'
import type { HttpContext } from './context.js'
import type { EventStreams } from './event-streams.js'
import type { HandlersOf } from './handler.js'

/** Sessions: start, list, look up, follow, cancel, talk. */
export function sessionHandlers(
  { devices, sessions, archive, workflows }: HttpContext,
  streams: EventStreams,
): HandlersOf<'sessions' | 'workflows'> {
  const find = (id: string): Session => {
    const session = archive.find(id)
    if (session === undefined) throw aipError('SESSION_NOT_FOUND', { id })
    return session
  }
  return {
    'sessions.create': async ({ body }) => {
      if (body.task_name !== undefined && !isTaskName(body.task_name)) throw aipError('INVALID_TASK_NAME')
      const work = await workOf(body, workflows)
      devices.requireOnline(body.device_id)
      const task = operatorTask(body.device_id, work, body.task_name === undefined ? {} : { taskName: body.task_name })
      const { session } = await sessions.executeTask(task)
      sessions.start(session)
      return session.view
    },
    'sessions.list': ({ query }) => ({
      sessions: archive.list({ deviceId: query.device_id, status: query.status, before: query.before, limit: query.limit }),
    }),
    'sessions.get': ({ params }) => find(params.id),
    'sessions.events': ({ params, headers, reply }) => {
      const session = find(params.id)
      const run = { runId: session.run_id, sessionId: session.session_id, ended: session.ended_at !== null }
      const lastEventId = Number(headers['last-event-id'] ?? 0)
      reply.hijack()
      streams.stream(reply.raw, run, Number.isSafeInteger(lastEventId) ? lastEventId : 0)
    },
    'sessions.log': ({ params, query: { after, limit } }) => {
      const { run_id, session_id } = find(params.id)
      const rest = archive.events(run_id, session_id, after)
      const events = rest.slice(0, limit)
      const last = events.at(-1)?.seq ?? null
      return { events, ...(rest.length > limit && last !== null ? { next: last } : {}) }
    },
    'sessions.value': ({ params }) => {
      const value = archive.value(find(params.id).run_id, params.value)
      if (value === undefined) throw aipError('VALUE_NOT_FOUND', params)
      return value
    },
    'sessions.cancel': ({ params }) => {
      const session = find(params.id)
      if (session.ended_at === null) sessions.cancelTask(session.session_id, 'user_requested')
      return session
    },
    'sessions.answer': async ({ params, body }) => {
      await sessions.answer(find(params.id).session_id, body.text, body.question_id)
      return find(params.id)
    },
    'sessions.remark': async ({ params, body }) => {
      await sessions.remark(find(params.id).session_id, body.text)
      return find(params.id)
    },
    'workflows.list': async () => ({ workflows: await workflows.list() }),
  }
}

/** @throws AipError `EMPTY_REQUEST`, or what is wrong with a workflow or its inputs */
async function workOf(body: z.output<typeof CreateSession>, workflows: WorkflowLibrary): Promise<Work> {
  if (body.commands !== undefined) return { kind: 'commands', commands: body.commands.map(toCommand) }
  if (body.workflow !== undefined) return workflows.workOfSource(body.workflow, body.file ?? 'workflow', body.inputs ?? {})
  const request = body.request ?? ''
  if (request.trim() === '') throw aipError('EMPTY_REQUEST')
  return workflows.workOf(request)
}
