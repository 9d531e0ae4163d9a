import type { RecordType } from '@orrery/aip/records'
import { DEVICE_KEY } from '../support/test-server.ts'
import type { ManualClock } from '../support/manual-clock.ts'
import { WireClient, type Json } from '../support/wire-client.ts'

/** How a device answers a call of one tool. */
export interface Answer {
  /** The result; default `ok`. */
  give?: unknown
  /** It fails with this text; the commands after it are skipped. */
  fail?: string
  /** Only once the session has a record of this type. */
  after?: RecordType
  /** Asks for approval first. */
  asks?: boolean
  /** It does not answer. */
  never?: boolean
}

/** A device as a scenario describes it. */
export interface DeviceScript {
  /** What it offers; none makes it a device that cannot resume. */
  features?: readonly string[]
  /** What its tool list names. */
  tools?: readonly string[]
  answers?: Readonly<Record<string, Answer>>
  /** Does something else with a command than to answer it. */
  onCommand?: (device: ActingDevice, command: Json, clock: ManualClock) => Promise<void>
  /** It does not start a task that it is asked to start. */
  ignoresTasks?: boolean
  /** False: it does not come back to a server that continues the session. */
  returns?: boolean
}

/** What a device knows of the session that it works for. */
export interface Surroundings {
  url: string
  clock: ManualClock
  /** Settles once the session has this many records of a type. */
  recorded(type: RecordType, count?: number): Promise<void>
}

/** A device on a bare socket that answers as its script says. */
export class ActingDevice {
  /** Response ids of the batches that it was sent. */
  readonly received = new Set<string>()
  transferKey = ''
  token: string | null
  readonly wire: WireClient
  readonly #script: DeviceScript
  readonly #around: Surroundings
  readonly url: string
  readonly #asked = Promise.withResolvers<void>()
  readonly #answered = new Map<string, () => void>()

  private constructor(wire: WireClient, script: DeviceScript, around: Surroundings, token: string | null) {
    this.wire = wire
    this.#script = script
    this.#around = around
    this.url = around.url
    this.token = token
  }

  /** Registers as `d1` and begins to answer. @param token of its last registration */
  static async connect(script: DeviceScript, around: Surroundings, token: string | null): Promise<ActingDevice> {
    const wire = await WireClient.connect(around.url, DEVICE_KEY)
    const { features } = script
    const offer = { version: 1, features, ...(token === null ? {} : { resume_token: token }) }
    const metadata = { platform: 'linux', ...(features === undefined ? {} : { aip: offer }) }
    wire.send({ type: 'register', client_id: 'd1', metadata })
    const device = new ActingDevice(wire, script, around, token)
    device.#registered(await wire.next())
    void device.#listen().catch(() => {})
    return device
  }

  /** Settles when it is asked to start a task. */
  get asked(): Promise<void> {
    return this.#asked.promise
  }

  /** Answers the commands of a batch, one after the other. */
  async answer(command: Json): Promise<void> {
    const results: Json[] = []
    for (const action of command['actions'] as Json[]) {
      const { fail, give = 'ok', after, asks, never } = this.#answerTo(action)
      if (never === true) return
      if (after !== undefined) await this.#around.recorded(after)
      if (asks === true) await this.#ask(command, action)
      const failed = results.some(({ status }) => status === 'failure')
      const outcome = failed
        ? { status: 'skipped', error: 'Skipped due to previous failure.', result: null }
        : fail === undefined
          ? { status: 'success', error: null, result: give }
          : { status: 'failure', error: fail, result: null }
      results.push({ ...outcome, namespace: 'lab', call_id: action['call_id'] })
    }
    // As work takes some time.
    await this.#around.clock.advance(7)
    this.wire.send({
      type: 'command_results',
      status: 'continue',
      session_id: command['session_id'],
      prev_response_id: command['response_id'],
      action_results: results,
    })
  }

  #registered({ status, error, result }: Json): void {
    if (status !== 'ok') throw new Error(`registration refused: ${String(error)}`)
    const { aip } = (result ?? {}) as { aip?: { resume_token?: string; transfer_key?: string } }
    this.token = aip?.resume_token ?? null
    this.transferKey = aip?.transfer_key ?? ''
  }

  async #listen(): Promise<void> {
    for (;;) {
      const message = await this.wire.next()
      if (message['type'] === 'command') {
        this.received.add(String(message['response_id']))
        const act = this.#script.onCommand
        void (act === undefined ? this.answer(message) : act(this, message, this.#around.clock))
      } else if (message['type'] === 'answer') this.#answered.get(String(message['ask_id']))?.()
      else if (message['type'] === 'task') {
        this.#asked.resolve()
        if (this.#script.ignoresTasks === true) continue
        const { user_request: request, task_name: name } = message
        this.wire.send({ type: 'task', client_id: 'd1', request, task_name: name })
      }
    }
  }

  #answerTo(action: Json): Answer {
    const name = String(action['tool_name'])
    const scripted = this.#script.answers?.[name]
    if (scripted !== undefined || name !== 'list_tools') return scripted ?? {}
    const { tool_type: type } = action['parameters'] as Json
    return { give: type === 'action' ? (this.#script.tools ?? []).map(toolEntry) : [] }
  }

  async #ask({ session_id }: Json, { call_id, tool_name, parameters }: Json): Promise<void> {
    const id = `ask-${String(call_id)}`
    const answered = new Promise<void>((resolve) => this.#answered.set(id, resolve))
    this.wire.send({
      type: 'ask',
      session_id,
      ask_id: id,
      call_id,
      tool: tool_name,
      arguments_hash: 'a1b2c3',
      summary: `${String(tool_name)} ${JSON.stringify(parameters)}`,
      expires_at: '2126-01-01T00:00:00.000000+00:00',
    })
    await answered
    await this.#around.recorded('approval', 2)
  }
}

function toolEntry(name: string): Json {
  return {
    tool_key: `action::${name}`,
    tool_name: name,
    title: null,
    namespace: 'lab',
    tool_type: 'action',
    description: `Does ${name}`,
    input_schema: { type: 'object', properties: { text: { type: 'string' } } },
    output_schema: null,
    meta: null,
    annotations: null,
  }
}
