import type { Clock } from '@orrery/aip'
import type { Agent } from '../agent.js'
import type { Secrets } from '../../identity/secrets.js'
import type { ModelSettings } from './model-settings.js'

/** Runs requests in words, and plans in words, with a model. @param secrets what the model must not read */
export function modelAgent(settings: ModelSettings, secrets: Secrets, clock: Clock): Agent {
  return {
    name: 'model',
    listens: true,
    usesModel: true,
    accepts: ({ kind }) => kind === 'words' || kind === 'plan',
    async run(context) {
      // Loaded with the first request in words, not when the server starts.
      const { ModelSession } = await import('./model-session.js')
      return new ModelSession(context, settings, secrets, clock).run()
    },
  }
}
