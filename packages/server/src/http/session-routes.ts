import { aipError } from '@orrery/aip'
import { CreateSession, QuestionAnswer, Remark, Session, SessionList, SessionQuery, WorkflowList } from '@orrery/aip/api'
import { z } from 'zod'
import { isTaskName } from '../connection/task-intake.js'
import { operatorTask } from '../sessions/task.js'
import type { WorkflowLibrary } from '../agents/workflow/workflow-library.js'
import type { Work } from '../sessions/task.js'
import type { App, HttpContext } from './context.js'
import { toCommand } from './command-input.js'
import type { EventStreams } from './event-streams.js'

const SessionParams = z.object({ id: z.string() })

/** Sessions: start, list, look up, follow, cancel. */
export function sessionRoutes(app: App, { devices, sessions, archive, workflows }: HttpContext, streams: EventStreams): void {
  const find = (id: string): Session => {
    const session = archive.find(id)
    if (session === undefined) throw aipError('SESSION_NOT_FOUND', { id })
    return session
  }

  app.post(
    '/api/sessions',
    { schema: { summary: 'Starts a session on a device', body: CreateSession, response: { 201: Session } } },
    async ({ body }, reply) => {
      if (body.task_name !== undefined && !isTaskName(body.task_name)) throw aipError('INVALID_TASK_NAME')
      const work = await workOf(body, workflows)
      devices.requireOnline(body.device_id)
      const task = operatorTask(body.device_id, work, body.task_name === undefined ? {} : { taskName: body.task_name })
      const { session } = await sessions.executeTask(task)
      sessions.start(session)
      return reply.status(201).send(session.view)
    },
  )

  app.get(
    '/api/workflows',
    { schema: { summary: 'The workflows that can be called by name', response: { 200: WorkflowList } } },
    async () => ({ workflows: await workflows.list() }),
  )

  app.get(
    '/api/sessions',
    {
      schema: {
        summary: 'Sessions, newest first, without their results',
        querystring: SessionQuery,
        response: { 200: SessionList },
      },
    },
    ({ query }) => ({
      sessions: archive.list({ deviceId: query.device_id, status: query.status, before: query.before, limit: query.limit }),
    }),
  )

  app.get(
    '/api/sessions/:id',
    { schema: { summary: 'The newest session of this id', params: SessionParams, response: { 200: Session } } },
    ({ params }) => find(params.id),
  )

  app.get(
    '/api/sessions/:id/events',
    { schema: { summary: 'The events of a session, as server-sent events', params: SessionParams } },
    ({ params, headers }, reply) => {
      const session = find(params.id)
      const lastEventId = Number(headers['last-event-id'] ?? 0)
      reply.hijack()
      streams.stream(
        reply.raw,
        { runId: session.run_id, sessionId: session.session_id, ended: session.ended_at !== null },
        Number.isSafeInteger(lastEventId) ? lastEventId : 0,
      )
    },
  )

  app.post(
    '/api/sessions/:id/cancel',
    {
      schema: {
        summary: 'Cancels a session; one that has ended stays as it is',
        params: SessionParams,
        response: { 202: Session },
      },
    },
    async ({ params }, reply) => {
      const session = find(params.id)
      if (session.ended_at === null) sessions.cancelTask(session.session_id, 'user_requested')
      return reply.status(202).send(session)
    },
  )

  app.post(
    '/api/sessions/:id/answer',
    {
      schema: {
        summary: 'Answers the question that a session asks',
        params: SessionParams,
        body: QuestionAnswer,
        response: { 200: Session },
      },
    },
    async ({ params, body }) => {
      await sessions.answer(find(params.id).session_id, body.text, body.question_id)
      return find(params.id)
    },
  )

  app.post(
    '/api/sessions/:id/remark',
    {
      schema: {
        summary: 'Adds a remark to the request of a running session; its agent hears it before its next step',
        params: SessionParams,
        body: Remark,
        response: { 200: Session },
      },
    },
    async ({ params, body }) => {
      await sessions.remark(find(params.id).session_id, body.text)
      return find(params.id)
    },
  )
}

/** @throws AipError `EMPTY_REQUEST`, or what is wrong with a workflow or its inputs */
async function workOf(body: z.output<typeof CreateSession>, workflows: WorkflowLibrary): Promise<Work> {
  if (body.commands !== undefined) return { kind: 'commands', commands: body.commands.map(toCommand) }
  if (body.workflow !== undefined) return workflows.workOfSource(body.workflow, body.file ?? 'workflow', body.inputs ?? {})
  const request = body.request ?? ''
  if (request.trim() === '') throw aipError('EMPTY_REQUEST')
  return workflows.workOf(request)
}
