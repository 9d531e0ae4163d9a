import { isoTime, type Clock } from '@orrery/aip'
import type { Work } from '@orrery/aip/records'
import type { Agent } from '../agents/agent.js'
import { serverError } from '../errors.js'

/**
 * How many tasks devices may ask for that use the model of the operator, who pays for it: so many for each device and day (UTC). It counts from the
 * start of the server.
 */
export class ModelAllowance {
  readonly #agents: readonly Agent[]
  readonly #clock: Clock
  readonly #perDay: number
  #day = ''
  readonly #used = new Map<string, number>()

  /** @param options.perDay 0: none */
  constructor(options: { agents: readonly Agent[]; clock: Clock; perDay: number }) {
    this.#agents = options.agents
    this.#clock = options.clock
    this.#perDay = options.perDay
  }

  /** Counts a task that a device asks for. @throws AipError `MODEL_NOT_FOR_DEVICES` if it uses the model and may not */
  spend(deviceId: string, work: Work): void {
    if (this.#agents.find((agent) => agent.accepts(work))?.usesModel !== true) return
    const day = isoTime(this.#clock.now()).slice(0, 10)
    if (day !== this.#day) this.#used.clear()
    this.#day = day
    const used = this.#used.get(deviceId) ?? 0
    if (used >= this.#perDay) throw serverError('MODEL_NOT_FOR_DEVICES', { id: deviceId, limit: this.#perDay })
    this.#used.set(deviceId, used + 1)
  }
}
