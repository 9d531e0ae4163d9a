import type { ModelSettings } from './model-settings.js'
import type { CheckedModel } from './try-model.js'

/**
 * Tries the endpoints of the settings: each with a word, a tool call and an image. It costs a few hundred tokens. Failures are part
 * of the answer.
 */
export async function checkModel(settings: ModelSettings, signal: AbortSignal): Promise<CheckedModel[]> {
  // Loaded only where it is asked for: a server starts without it.
  const { tryModel } = await import('./try-model.js')
  return tryModel(settings, signal)
}
