import type { Fleet } from '../fleet/fleet.js'
import type { HandlersOf } from './handler.js'

/** Calls that wait for approval: those of devices whose owner lets operators answer. */
export function askHandlers({ asks }: Fleet): HandlersOf<'asks'> {
  return {
    'asks.list': ({ principal }) => asks.list(principal),
    'asks.answer': ({ principal, params, body }) => asks.answer(principal, params.id, body),
  }
}
