import { wireResult } from '../connection/wire-result.js'
import type { Fleet } from '../fleet/fleet.js'
import { isTaskName } from '../sessions/task-name.js'
import type { HandlersOf } from './handler.js'
import { serverError } from '../errors.js'

/** Tasks that existing peers dispatch (server reference, chapter 6). */
export function taskHandlers({ tasks }: Fleet): HandlersOf<'tasks'> {
  return {
    'tasks.dispatch': async ({ principal, body }) => {
      const { request, client_id: clientId } = body
      const taskName = 'task_name' in body ? body.task_name : crypto.randomUUID()
      if (typeof request !== 'string' || request.trim() === '') throw serverError('EMPTY_TASK_CONTENT')
      if (clientId === undefined || clientId === null || clientId === '') throw serverError('EMPTY_CLIENT_ID')
      if (!isTaskName(taskName)) throw serverError('INVALID_TASK_NAME')
      if (typeof clientId !== 'string') throw serverError('CLIENT_NOT_ONLINE')
      const sessionId = await tasks.dispatch(principal, clientId, request, taskName)
      return { status: 'dispatched', task_name: taskName, client_id: clientId, session_id: sessionId }
    },
    'tasks.result': async ({ principal, params }) => {
      // An encoded slash is part of the path for existing servers.
      if (params.task_name.includes('/')) throw serverError('NOT_FOUND')
      const session = await tasks.result(principal, params.task_name)
      if (session === undefined) return { status: 'pending' }
      const result = wireResult(session.request, session)
      return { status: 'done', result: result.length === 0 && session.error !== null ? { failure: session.error } : result }
    },
  }
}
