import { LIMITS } from '@orrery/aip'
import { RecordType } from '@orrery/aip/records'
import { resolveModel } from '@orrery/server'
import { ManualClock, settle } from '../support/manual-clock.ts'
import { startScriptedModel, type ScriptedModel } from '../support/scripted-model.ts'
import { OPERATOR_KEY, startTestServer, type TestServer } from '../support/test-server.ts'
import { WireClient, type Json } from '../support/wire-client.ts'
import { ActingDevice, type DeviceScript } from './acting-device.ts'
import type { Reaction, Scenario } from './scenario.ts'

/** How long a question of the model waits, in milliseconds: shorter than a connection may be silent. */
export const QUESTION_TIME = 5000

/** Where a {@link World} has its log and when it begins. */
export interface WorldOptions {
  dataDir: string
  /** Milliseconds since the epoch. */
  now: number
}

/** A server with everything that a scenario needs around it: a model, a device, a constellation, and what happens from outside. */
export class World implements AsyncDisposable {
  readonly clock: ManualClock
  readonly model: ScriptedModel | null
  device: ActingDevice | null = null
  constellation: WireClient | null = null
  #server: TestServer | null = null
  readonly #scenario: Scenario
  readonly #options: WorldOptions
  readonly #script: DeviceScript
  readonly #reactions: Set<Reaction>
  readonly #continues: boolean
  /** Types of the records so far. */
  #seen: RecordType[] = []
  #changed = Promise.withResolvers<void>()
  /** The token of the device's last registration. */
  #lastToken: string | null = null
  /** What went wrong in a reaction. */
  #failure: unknown = null

  private constructor(scenario: Scenario, options: WorldOptions, model: ScriptedModel | null, continues: boolean) {
    this.#scenario = scenario
    this.#options = options
    this.model = model
    this.#continues = continues
    this.clock = new ManualClock(options.now)
    const { device, reactions } = { ...scenario, ...(continues ? scenario.continued : {}) }
    this.#script = device
    this.#reactions = new Set(reactions)
  }

  /** Plays a scenario from its task to the end of the session. */
  static async play(scenario: Scenario, options: WorldOptions): Promise<World> {
    const world = await World.#start(scenario, options, false)
    await world.connectDevice()
    await world.connectConstellation()
    await scenario.begin(world)
    return world
  }

  /** Continues the session of a log that was cut. */
  static async continue(scenario: Scenario, options: WorldOptions, sessionId: string): Promise<World> {
    const world = await World.#start(scenario, options, true)
    await world.#look(sessionId)
    if (world.#script.returns !== false) {
      await world.connectDevice()
      if (scenario.constellation?.includes('resume') === true) await world.connectConstellation()
    }
    await world.#react()
    return world
  }

  static async #start(scenario: Scenario, options: WorldOptions, continues: boolean): Promise<World> {
    const model = scenario.model === undefined ? null : await startScriptedModel(scenario.model)
    const world = new World(scenario, options, model, continues)
    await world.#startServer()
    return world
  }

  async #startServer(): Promise<void> {
    const { agents = [], inMemory } = this.#scenario
    const env = { ORRERY_MODEL: 'scripted', OPENAI_BASE_URL: `${this.model?.url}/v1`, OPENAI_API_KEY: 'sk-none' }
    const model = this.model && resolveModel(env, { question_s: QUESTION_TIME / 1000 })
    this.#server = await startTestServer({
      clock: this.clock,
      agents,
      ...(model === null ? {} : { model }),
      ...(inMemory === true && !this.#continues ? {} : { dataDir: this.#options.dataDir }),
    })
    this.server.server.onSessionEvent(({ seq, type }) => {
      if (seq !== null) this.#note(RecordType.parse(type))
    })
  }

  get server(): TestServer {
    if (this.#server === null) throw new Error('the server is not started')
    return this.#server
  }

  /** Settles once the session has this many records of a type. @throws what went wrong in a reaction */
  async recorded(type: RecordType, count = 1): Promise<void> {
    while (this.#seen.filter((seen) => seen === type).length < count) {
      await this.#changed.promise
      if (this.#failure !== null) throw this.#failure
    }
  }

  /** Settles once the constellation's acknowledgement of the end is recorded, which no event reports. */
  async delivered(): Promise<void> {
    const { run_id: id } = await this.session()
    for (;;) {
      const { body } = await this.server.api(`/api/sessions/${String(id)}/log`)
      if ((body['events'] as Json[]).some(({ type }) => type === 'delivered')) return
    }
  }

  /** Connects the device, with the token of its last registration. Does nothing if it is connected. */
  async connectDevice(): Promise<void> {
    const { url } = this.server
    const token = this.#lastToken
    this.device ??= await ActingDevice.connect(
      this.#script,
      { url, clock: this.clock, recorded: (type, count) => this.recorded(type, count) },
      token,
    )
  }

  /** Connects the constellation of the scenario, if there is one; if it can resume, it acknowledges each end. */
  async connectConstellation(): Promise<void> {
    const { constellation: features } = this.#scenario
    if (features === undefined) return
    const client = await WireClient.connect(this.server.url, OPERATOR_KEY)
    const metadata = features.length === 0 ? null : { aip: { version: 1, features } }
    client.send({ type: 'register', client_id: 'c1', client_type: 'constellation', metadata })
    await client.next()
    this.constellation = client
    if (features.includes('resume')) void this.#acknowledge(client).catch(() => {})
  }

  /** Cuts the connection of the device, and waits until the server knows. */
  async dropDevice(): Promise<void> {
    this.device?.wire.terminate()
    this.#lastToken = this.device?.token ?? null
    this.device = null
    await this.#gone('d1')
  }

  /** Cuts the connection of the constellation, and waits until the server knows. */
  async dropConstellation(): Promise<void> {
    this.constellation?.terminate()
    this.constellation = null
    await this.#gone('c1')
  }

  /** Stops the server and starts another on the same log; the device comes back. */
  async restart(): Promise<void> {
    const stopped = this.server.server.stop()
    while (!this.clock.waits.includes(LIMITS.drainTime)) await settle()
    await this.clock.advance(LIMITS.drainTime)
    await stopped
    this.#lastToken = this.device?.token ?? null
    this.device = null
    await this.#startServer()
    const { body } = await this.server.api('/api/sessions')
    const [session] = body['sessions'] as Json[]
    await this.#look(String(session?.['session_id']))
    await this.connectDevice()
  }

  /** Starts a session on the device. @returns its id */
  async start(wanted: Json): Promise<string> {
    const { status, body } = await this.server.api('/api/sessions', { device_id: 'd1', ...wanted })
    if (status !== 201) throw new Error(JSON.stringify(body))
    return String(body['session_id'])
  }

  /** The only session, as the API lists it. */
  async session(): Promise<Json> {
    const { body } = await this.server.api('/api/sessions')
    const [session] = body['sessions'] as Json[]
    if (session === undefined) throw new Error('there is no session')
    return session
  }

  /** Posts to the session. */
  async post(action: 'cancel' | 'answer' | 'remark', body: Json = {}): Promise<void> {
    const { session_id: id } = await this.session()
    const answer = await this.server.api(`/api/sessions/${String(id)}/${action}`, body)
    if (answer.status >= 400) throw new Error(JSON.stringify(answer.body))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopped = this.server.server.stop()
    // A session that never ends would be waited for.
    void this.#hurry(stopped)
    await stopped
    await this.model?.[Symbol.asyncDispose]()
  }

  async #hurry(stopped: Promise<void>): Promise<void> {
    const over = new AbortController()
    void stopped.finally(() => over.abort())
    while (!over.signal.aborted) {
      if (this.clock.waits.includes(LIMITS.drainTime)) await this.clock.advance(LIMITS.drainTime)
      await settle()
    }
  }

  /** Looks up what is recorded already. */
  async #look(sessionId: string): Promise<void> {
    const { body } = await this.server.api(`/api/sessions/${sessionId}/log`)
    this.#seen = (body['events'] as Json[]).map(({ type }) => RecordType.parse(type))
  }

  #note(type: RecordType): void {
    this.#seen.push(type)
    this.#wake()
    setImmediate(() => void this.#react())
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  async #react(): Promise<void> {
    for (const reaction of this.#reactions) {
      if (!this.#seen.includes(reaction.after) || this.#seen.includes(reaction.until)) continue
      this.#reactions.delete(reaction)
      try {
        await this.clock.advance(100)
        await reaction.act(this)
      } catch (error) {
        this.#failure = error
        this.#wake()
      }
    }
  }

  async #acknowledge(client: WireClient): Promise<void> {
    for (;;) {
      const { type, session_id } = await client.next()
      if (type === 'task_end') client.send({ type: 'task_end', client_type: 'constellation', session_id })
    }
  }

  async #gone(id: string): Promise<void> {
    for (;;) {
      const { body } = await this.server.api('/api/clients')
      if (!(body['online_clients'] as string[]).includes(id)) return
    }
  }
}
