import type { Command, Result } from '@orrery/aip'

/** The result of a command, which a program may also read by the names of seed 003; only the fields of the wire are sent. */
export class ActionResult implements Result {
  // In the order of the wire.
  readonly status: Result['status']
  readonly error: string | null
  readonly result: unknown
  readonly namespace: string | null
  readonly call_id: string | null
  readonly #action: string

  constructor({ tool_name: tool }: Pick<Command, 'tool_name'>, { status, error, result, namespace, call_id }: Result) {
    this.#action = tool
    this.status = status
    this.error = error
    this.result = result
    this.namespace = namespace
    this.call_id = call_id
  }

  /** The tool that was called. */
  get action(): string {
    return this.#action
  }

  /** The value of the tool. */
  get observation(): unknown {
    return this.result
  }

  /** Why it failed. */
  get error_message(): string | null {
    return this.error
  }
}
