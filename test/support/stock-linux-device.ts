import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Json } from './wire-client.js'

/** What the tools of a {@link StockLinuxDevice} do, by name; a tool that throws reports a failure. */
export type StockTools = Readonly<Record<string, (parameters: Json) => unknown>>

/**
 * A Linux device as the existing Python client is one: it offers no features, handles one frame after the other, has only action tools, and
 * answers nothing at all to a batch with a tool that it does not have, or with `list_tools` of a type that it does not have.
 */
export class StockLinuxDevice implements AsyncDisposable {
  /** Every frame that it got, in order. */
  readonly received: Json[] = []
  readonly #socket: WebSocket
  readonly #tools: StockTools
  #last: Promise<void> = Promise.resolve()

  private constructor(socket: WebSocket, tools: StockTools) {
    this.#socket = socket
    this.#tools = tools
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Json
      this.received.push(message)
      this.#last = this.#last.then(() => this.#handle(message)).catch(() => {})
    })
  }

  /** Connects and registers. @param url of the server, `http://…` @param tools default: `execute_command`, which returns its command */
  static async register(
    url: string,
    key: string,
    { id = 'd1', tools = { execute_command: ({ command }) => command } }: { id?: string; tools?: StockTools } = {},
  ): Promise<StockLinuxDevice> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?token=${key}`, { perMessageDeflate: false })
    const device = new StockLinuxDevice(socket, tools)
    await once(socket, 'open')
    const system = { device_id: id, platform: 'linux', os_version: '6.1', cpu_count: 4, memory_total_gb: 15.6 }
    device.#send({ type: 'register', status: 'ok', client_id: id, metadata: { platform: 'linux', system_info: system } })
    await once(socket, 'message')
    return device
  }

  /** The names of the tools that it was asked to run, batch by batch. */
  get batches(): string[][] {
    return this.received.flatMap(({ type, actions }) =>
      type === 'command' ? [(actions as Json[]).map((action) => String(action['tool_name']))] : [],
    )
  }

  /** Cuts its connection. */
  terminate(): void {
    this.#socket.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close()
    if (this.#socket.readyState !== WebSocket.CLOSED) await once(this.#socket, 'close')
  }

  async #handle({ type, session_id, response_id, actions, status, user_request, task_name }: Json): Promise<void> {
    if (type === 'task') {
      // It is not busy until the session ends: its busy check ends with this frame.
      this.#send({ type: 'task', status: 'continue', request: user_request, task_name })
    } else if (type === 'command') {
      const results: Json[] = []
      // What it does not know raises out of the whole batch, and nothing is sent.
      for (const action of actions as Json[]) results.push(await this.#run(action))
      this.#send({ type: 'command_results', status, session_id, prev_response_id: response_id, action_results: results })
    }
  }

  async #run({ tool_name: name, tool_type: type, parameters, call_id }: Json): Promise<Json> {
    const done = { status: 'success', error: null, namespace: 'BashExecutor', call_id }
    if (type !== 'action') throw new Error(`Tool ${String(type)}::${String(name)} is not registered`)
    const given = (parameters ?? {}) as Json
    if (name === 'list_tools') return { ...done, result: this.#list(given['tool_type']) }
    const tool = this.#tools[String(name)]
    if (tool === undefined) throw new Error(`Tool action::${String(name)} is not registered`)
    try {
      return { ...done, result: await tool(given) }
    } catch (error) {
      return { ...done, status: 'failure', result: null, error: String(error) }
    }
  }

  #list(type: unknown): Json[] {
    if (type !== undefined && type !== 'action') return []
    return Object.keys(this.#tools).map((name) => ({
      tool_key: `action::${name}`,
      tool_name: name,
      title: null,
      namespace: 'BashExecutor',
      tool_type: 'action',
      description: `Does ${name}`,
      input_schema: { type: 'object' },
      output_schema: null,
      meta: null,
      annotations: null,
    }))
  }

  #send(fields: Json): void {
    this.#socket.send(JSON.stringify({ client_type: 'device', client_id: 'd1', ...fields }))
  }
}
