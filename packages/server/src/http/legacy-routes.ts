import { aipError } from '@orrery/aip'
import { Clients, DispatchOutcome, Health, TaskResult, hasEnded } from '@orrery/aip/api'
import { z } from 'zod'
import { isTaskName } from '../connection/task-intake.js'
import { wireResult } from '../connection/wire-result.js'
import { operatorTask } from '../sessions/task.js'
import type { App, HttpContext } from './context.js'

const Dispatch = z.looseObject({
  client_id: z.unknown().optional(),
  request: z.unknown().optional(),
  task_name: z.unknown().optional(),
})

/** The routes that existing peers know (server reference, chapter 6). */
export function legacyRoutes(app: App, { clients, sessions, archive, workflows }: HttpContext): void {
  app.get('/api/health', { schema: { summary: 'Whether the server is well', response: { 200: Health } } }, () => ({
    status: 'healthy' as const,
    online_clients: clients.listClients(),
  }))

  app.get('/api/clients', { schema: { summary: 'Clients that are online, of both kinds', response: { 200: Clients } } }, () => ({
    online_clients: clients.listClients(),
  }))

  app.post(
    '/api/dispatch',
    { schema: { summary: 'Has a device start a task of its own', body: Dispatch, response: { 200: DispatchOutcome } } },
    async ({ body }) => {
      const { request, client_id: clientId } = body
      const taskName = 'task_name' in body ? body.task_name : crypto.randomUUID()
      if (typeof request !== 'string' || request.trim() === '') throw aipError('EMPTY_TASK_CONTENT')
      if (clientId === undefined || clientId === null || clientId === '') throw aipError('EMPTY_CLIENT_ID')
      if (!isTaskName(taskName)) throw aipError('INVALID_TASK_NAME')
      if (typeof clientId !== 'string' || !clients.isDeviceConnected(clientId)) throw aipError('CLIENT_NOT_ONLINE')
      const task = operatorTask(clientId, await workflows.workOf(request), { taskName, assigned: true })
      const { session } = await sessions.executeTask(task)
      sessions.start(session)
      return { status: 'dispatched' as const, task_name: taskName, client_id: clientId, session_id: task.sessionId }
    },
  )

  app.get(
    '/api/task_result/:task_name',
    {
      schema: {
        summary: 'The result of the newest task of this name',
        params: z.object({ task_name: z.string() }),
        response: { 200: TaskResult },
      },
    },
    ({ params }) => {
      // An encoded slash is part of the path for existing servers.
      if (params.task_name.includes('/')) throw aipError('NOT_FOUND')
      const session = archive.findByTaskName(params.task_name)
      if (session === undefined || !hasEnded(session.status)) return { status: 'pending' as const }
      const result = wireResult(session.request, session)
      return {
        status: 'done' as const,
        result: result.length === 0 && session.error !== null ? { failure: session.error } : result,
      }
    },
  )
}
