import type { WorkflowSummary } from '@orrery/aip/api'
import type { CallOptions, RouteCaller } from './route-caller.js'

/** The workflows of a server. */
export class WorkflowsApi {
  readonly #caller: RouteCaller

  constructor(caller: RouteCaller) {
    this.#caller = caller
  }

  /** Lists the workflows that can be called by name. */
  async list(options?: CallOptions): Promise<WorkflowSummary[]> {
    return (await this.#caller.call('workflows.list', {}, options)).workflows
  }
}
