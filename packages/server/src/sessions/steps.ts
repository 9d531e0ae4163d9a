import type { PastSession } from './restore.js'
import type { SessionLog } from './session-log.js'
import { serverError } from '../errors.js'

/** The decisions of an agent, recorded one by one: after a restart what was decided is not decided again. */
export class Steps {
  /** Recorded before the restart and not asked for again yet, in order. */
  readonly #past: PastSession['steps']
  readonly #log: Pick<SessionLog, 'record'>

  constructor(log: Pick<SessionLog, 'record'>, past: PastSession['steps'] = []) {
    this.#log = log
    this.#past = past
  }

  /**
   * Decides, or gives what was decided before.
   * @throws AipError `REPLAY_DIVERGED` if the agent comes to another step than it had come to; `STORE_FAILED`; and what `decide` throws
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
