import type { HttpContext } from './context.js'
import type { HandlersOf } from './handler.js'

/** Calls that wait for approval: those of devices whose owner lets operators answer. */
export function askHandlers({ asks }: HttpContext): HandlersOf<'asks'> {
  return {
    'asks.list': () => ({ asks: asks.list() }),
    'asks.answer': ({ params, body }) => asks.answer(params.id, body.decision, 'operator'),
  }
}
