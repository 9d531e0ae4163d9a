import type { ModelSettings } from './model-settings.js'
import type { CheckedModel } from './try-model.js'

/**
 * Tries the configured endpoints: each with a word, a tool call and an image. Costs a few hundred tokens. Failures are part
 * of the answer.
 */
export async function checkModel(settings: ModelSettings, signal: AbortSignal): Promise<CheckedModel[]> {
  // Loaded only on request: a server starts without it.
  const { tryModel } = await import('./try-model.js')
  return tryModel(settings, signal)
}
