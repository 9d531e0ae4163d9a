import type { Ask, AskAnswer } from '@orrery/aip/api'
import type { CallOptions, RouteCaller } from './route-caller.js'

/** Calls that wait on their devices for approval. */
export class AsksApi {
  readonly #caller: RouteCaller

  constructor(caller: RouteCaller) {
    this.#caller = caller
  }

  /** Lists the calls that wait for approval. */
  async list(options?: CallOptions): Promise<Ask[]> {
    return (await this.#caller.call('asks.list', {}, options)).asks
  }

  /**
   * Allows or denies a waiting call, once.
   * @param options.digest that of the ask which the approver has seen; an answer to another one is refused
   * @returns what was asked
   */
  answer(
    id: string,
    decision: AskAnswer['decision'],
    { digest, ...options }: CallOptions & { digest?: string } = {},
  ): Promise<Ask> {
    return this.#caller.call(
      'asks.answer',
      { params: { id }, body: { decision, ...(digest === undefined ? {} : { digest }) } },
      options,
    )
  }
}
