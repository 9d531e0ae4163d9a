import type { Outcome } from '../sessions/task.js'

/** The result of a session as existing peers know it: a list with one `{request, result}` per request, empty if nothing came out (C-15). */
export function wireResult(request: string, { result }: Pick<Outcome, 'result'>): { request: string; result: unknown }[] {
  return result === null ? [] : [{ request, result }]
}
