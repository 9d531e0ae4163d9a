import { createLinkedTransports, systemClock, type CloseInfo, type Pace, type Transport, type TransportState } from '@orrery/aip'
import { scriptedAgent } from '../../../../test/support/scripted-agent.js'
import { LogCapture } from '../../../../test/support/test-server.js'
import { assertNoneStuck } from '../../../../test/support/stuck-sessions.js'
import { emptyToolList, type Json } from '../../../../test/support/wire-client.js'
import { SecretSources } from '../../src/config/secret-sources.js'
import { WorkflowLibrary } from '../../src/agents/workflow/workflow-library.js'
import { ClientConnectionManager } from '../../src/clients/client-connection-manager.js'
import { KnownDevices } from '../../src/clients/known-devices.js'
import { ResumeTokens } from '../../src/clients/resume-tokens.js'
import { ConnectedPeers } from '../../src/connection/connected-peers.js'
import { UFOWebSocketHandler } from '../../src/connection/ufo-websocket-handler.js'
import { DeviceFiles } from '../../src/files/device-files.js'
import { WaitingTransfers } from '../../src/files/waiting-transfers.js'
import { DeviceTerminals } from '../../src/terminals/device-terminals.js'
import { createFleet } from '../../src/fleet/create-fleet.js'
import { OPERATOR } from '../../src/identity/principal.js'
import { Asks } from '../../src/sessions/asks.js'
import { DeviceToolLists } from '../../src/sessions/device-tool-lists.js'
import { ModelAllowance } from '../../src/sessions/model-allowance.js'
import { SessionManager } from '../../src/sessions/session-manager.js'
import { MemoryFeed } from '../../src/store/memory-feed.js'
import { SqliteClientStore } from '../../src/store/sqlite-client-store.js'
import { SqliteSessionStore } from '../../src/store/sqlite-session-store.js'

/** A handler with its managers, without a network: for what no real socket can be made to do. */
export class HandlerRig implements AsyncDisposable {
  readonly log = new LogCapture()
  readonly store = new SqliteSessionStore(':memory:')
  readonly #clientStore = new SqliteClientStore(':memory:')
  readonly #feed = new MemoryFeed()
  readonly #common = { feed: this.#feed, clock: systemClock, logger: this.log }
  readonly #known = new KnownDevices({ ...this.#common, store: this.#clientStore })
  readonly clients = new ClientConnectionManager(this.#known)
  readonly peers = new ConnectedPeers(this.clients, undefined, this.log)
  readonly #toolLists = new DeviceToolLists({ ...this.#common, peers: this.peers })
  readonly sessions = new SessionManager({
    ...this.#common,
    toolLists: this.#toolLists,
    store: this.store,
    peers: this.peers,
    agents: [scriptedAgent],
  })
  readonly #asks = new Asks({ ...this.#common, live: this.sessions.live, peers: this.peers })
  readonly #tokens = new ResumeTokens(this.#clientStore, systemClock)
  readonly #waiting = new WaitingTransfers(() => null)
  readonly handler = new UFOWebSocketHandler({
    clientManager: this.clients,
    sessionManager: this.sessions,
    fleet: createFleet({
      clients: this.clients,
      known: this.#known,
      tokens: this.#tokens,
      toolLists: this.#toolLists,
      sessions: this.sessions,
      store: this.store,
      feed: this.#feed,
      asks: this.#asks,
      files: new DeviceFiles(this.clients, { ...this.#common, sessions: this.sessions, waiting: this.#waiting }),
      terminals: new DeviceTerminals(this.clients, { ...this.#common, waiting: this.#waiting }),
      workflows: new WorkflowLibrary(null, new SecretSources(), this.log),
      allowance: new ModelAllowance({ agents: [scriptedAgent], clock: systemClock, perDay: 0 }),
    }),
    tokens: this.#tokens,
    asks: this.#asks,
    logger: this.log,
  })

  /** A connection that the handler serves, not registered yet. */
  connect(): RigClient {
    const [near, far] = createLinkedTransports()
    const faulty = new FaultyTransport(far)
    return new RigClient(near, faulty, this.handler.handler(faulty, OPERATOR))
  }

  /** A registered client; its confirmation is taken. */
  async register(fields: Json): Promise<RigClient> {
    const client = this.connect()
    await client.send({ type: 'register', metadata: { platform: 'linux' }, ...fields })
    const answer = await client.next()
    if (answer['status'] !== 'ok') throw new Error(String(answer['error']))
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sessions.stop(false)
    assertNoneStuck()
    await this.#clientStore.close()
    await this.store.close()
  }
}

/** The client's end of a connection in memory. */
export class RigClient {
  readonly transport: Transport
  /** The server's end, which can be made to fail. */
  readonly faults: FaultyTransport
  /** Settles when the handler is done with this connection. */
  readonly served: Promise<void>
  /** As registered; existing peers name themselves in every message. */
  #clientId: unknown = null

  constructor(transport: Transport, faults: FaultyTransport, served: Promise<void>) {
    this.transport = transport
    this.faults = faults
    this.served = served
  }

  send(fields: Json): Promise<void> {
    if (fields['type'] === 'register') this.#clientId = fields['client_id']
    return this.transport.send(JSON.stringify({ client_id: this.#clientId, ...fields }))
  }

  async next(): Promise<Json> {
    for (;;) {
      const message = JSON.parse(String(await this.transport.receive())) as Json
      const list = emptyToolList(message)
      if (list === null) return message
      await this.send(list)
    }
  }
}

/** A transport that fails when a test says so. */
export class FaultyTransport implements Transport {
  readonly #transport: Transport
  /** Called with every frame before it is sent; may throw. */
  beforeSend: (frame: string) => void = () => {}
  /** Shown instead of the real state. */
  shownState: TransportState | null = null
  readonly #broken = Promise.withResolvers<never>()

  constructor(transport: Transport) {
    this.#transport = transport
    this.#broken.promise.catch(() => {})
  }

  get state(): TransportState {
    return this.shownState ?? this.#transport.state
  }

  get closed(): Transport['closed'] {
    return this.#transport.closed
  }

  /** Receiving fails from now on, while the connection stays open. */
  breakReceiving(error: Error): void {
    this.#broken.reject(error)
  }

  async send(frame: string | Uint8Array): Promise<void> {
    this.beforeSend(String(frame))
    await this.#transport.send(frame)
  }

  receive(): Promise<string | Uint8Array> {
    return this.#transport.receive()
  }

  deliverTo(deliver: (frame: string | Uint8Array) => void, pace?: Pace): Promise<CloseInfo> {
    return Promise.race([this.#broken.promise, this.#transport.deliverTo(deliver, pace)])
  }

  close(code?: number, reason?: string): Promise<void> {
    return this.#transport.close(code, reason)
  }

  refuse(code: number, reason: string): void {
    this.#transport.refuse(code, reason)
  }

  isAlive(timeoutMs: number): Promise<boolean> {
    return this.#transport.isAlive(timeoutMs)
  }

  setKeepAlive(intervalMs: number, timeoutMs: number): void {
    this.#transport.setKeepAlive(intervalMs, timeoutMs)
  }

  setMaxUnsent(bytes: number): void {
    this.#transport.setMaxUnsent(bytes)
  }

  terminate(): void {
    this.#transport.terminate()
  }
}
