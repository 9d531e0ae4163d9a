import type { PastSession } from './restore.js'
import type { SessionLog } from './session-log.js'
import { serverError } from '../errors.js'

/** The decisions of an agent, recorded one by one: after a restart none is made again. */
export class Steps {
  /** Recorded before the restart and not requested again yet, in order. */
  readonly #past: PastSession['steps']
  readonly #log: Pick<SessionLog, 'record'>

  constructor(log: Pick<SessionLog, 'record'>, past: PastSession['steps'] = []) {
    this.#log = log
    this.#past = past
  }

  /**
   * Decides, or returns the earlier decision.
   * @throws AipError `REPLAY_DIVERGED` if the agent reaches another step than before; `STORE_FAILED`; and what `decide` throws
   */
  async take<T>(name: string, decide: () => Promise<T>): Promise<T> {
    const past = this.#past.shift()
    if (past !== undefined) {
      if (past.name !== name) throw serverError('REPLAY_DIVERGED')
      // What the agent recorded under this name is of this type.
      return past.value as T
    }
    const value = await decide()
    await this.#log.record('agent_step', { name, value })
    return value
  }
}
