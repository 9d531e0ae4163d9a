import type { Clock } from '@orrery/aip'
import type { Agent } from '../agent.js'
import { ModelSession } from './model-session.js'
import type { ModelSettings } from './model-settings.js'

/** Runs requests in words, and plans in words, with a model. */
export function modelAgent(settings: ModelSettings, clock: Clock): Agent {
  return {
    name: 'model',
    listens: true,
    accepts: ({ kind }) => kind === 'words' || kind === 'plan',
    run: (context) => new ModelSession(context, settings, clock).run(),
  }
}
