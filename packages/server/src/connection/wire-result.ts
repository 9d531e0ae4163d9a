import type { TaskExecutionProtocol } from '@orrery/aip'
import type { TaskEnd } from '../sessions/peers.js'
import type { Outcome } from '../sessions/task.js'

/** Returns the result of a session as existing peers expect it: a list with one `{request, result}` per request, empty without a result (C-15). */
export function wireResult(request: string, { result }: Pick<Outcome, 'result'>): { request: string; result: unknown }[] {
  return result === null ? [] : [{ request, result }]
}

/** Returns the end of a session as a `task_end` carries it, without its response id: the wire has no state `cancelled`. */
export function wireEnd({
  sessionId,
  request,
  outcome,
  withResult,
}: Omit<TaskEnd, 'responseId'>): Omit<Parameters<TaskExecutionProtocol['sendTaskEnd']>[0], 'responseId'> {
  return {
    sessionId,
    status: outcome.status === 'completed' ? 'completed' : 'failed',
    result: withResult ? wireResult(request, outcome) : null,
    error: outcome.error,
  }
}
