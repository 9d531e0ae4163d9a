import type { ModelSettings, ServerConfig } from '@orrery/server'
import { messageOf } from '@orrery/aip'
import { usageError } from '../terminal/errors.js'

/**
 * The model that the environment and the configuration of a server name.
 * @returns undefined if they name none
 * @throws {CliError} with exit code 2 that says which setting is wrong
 */
export async function configuredModel(config?: ServerConfig['model']): Promise<ModelSettings | undefined> {
  const { resolveModel } = await import('@orrery/server')
  try {
    return resolveModel(process.env, config) ?? undefined
  } catch (error) {
    throw usageError(messageOf(error), error)
  }
}
