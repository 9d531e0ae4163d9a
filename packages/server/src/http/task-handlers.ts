import { aipError } from '@orrery/aip'
import { hasEnded } from '@orrery/aip/api'
import { isTaskName } from '../connection/task-intake.js'
import { wireResult } from '../connection/wire-result.js'
import { operatorTask } from '../sessions/task.js'
import type { HttpContext } from './context.js'
import type { HandlersOf } from './handler.js'

/** Tasks that existing peers dispatch (server reference, chapter 6). */
export function taskHandlers({ clients, sessions, archive, workflows }: HttpContext): HandlersOf<'tasks'> {
  return {
    'tasks.dispatch': async ({ body }) => {
      const { request, client_id: clientId } = body
      const taskName = 'task_name' in body ? body.task_name : crypto.randomUUID()
      if (typeof request !== 'string' || request.trim() === '') throw aipError('EMPTY_TASK_CONTENT')
      if (clientId === undefined || clientId === null || clientId === '') throw aipError('EMPTY_CLIENT_ID')
      if (!isTaskName(taskName)) throw aipError('INVALID_TASK_NAME')
      if (typeof clientId !== 'string' || !clients.isDeviceConnected(clientId)) throw aipError('CLIENT_NOT_ONLINE')
      const task = operatorTask(clientId, await workflows.workOf(request), { taskName, assigned: true })
      const { session } = await sessions.executeTask(task)
      sessions.start(session)
      return { status: 'dispatched', task_name: taskName, client_id: clientId, session_id: task.sessionId }
    },
    'tasks.result': ({ params }) => {
      // An encoded slash is part of the path for existing servers.
      if (params.task_name.includes('/')) throw aipError('NOT_FOUND')
      const session = archive.findByTaskName(params.task_name)
      if (session === undefined || !hasEnded(session.status)) return { status: 'pending' }
      const result = wireResult(session.request, session)
      return { status: 'done', result: result.length === 0 && session.error !== null ? { failure: session.error } : result }
    },
  }
}
