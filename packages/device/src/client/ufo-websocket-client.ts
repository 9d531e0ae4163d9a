import {
  AipError,
  LIMITS,
  aipError,
  backoff,
  isAipError,
  logError,
  resumeWait,
  silentLogger,
  systemClock,
  type Clock,
  type DeviceInfo,
  type Logger,
} from '@orrery/aip'
import {
  ReconnectingLink,
  heartbeatLoop,
  isOwnRefusal,
  type Down,
  type ServerConnection,
  type ServerTrust,
} from '@orrery/aip/node'
import type { DeviceDetails } from '../info/device-details.js'
import type { UFOClient } from '../computer/ufo-client.js'
import type { CommandJournal } from '../journal/command-journal.js'
import type { Approvals } from '../policy/approvals.js'
import { ConnectedEvent } from './connected-event.js'
import { deviceState } from './device-state.js'
import { DeviceSessions } from './device-sessions.js'
import { MessageHandlers } from './message-handlers.js'
import { describeDevice, registerDevice } from './registration.js'
import { StateReports } from './state-reports.js'
import type { DeviceTerminals } from '../terminals/device-terminals.js'
import type { TransferDialer } from '../transfers/transfer-dialer.js'
import { DEVICE_LIMITS } from '../limits.js'

/** What a {@link UFOWebSocketClient} is built from. */
export interface UFOWebSocketClientOptions {
  /** `ws://` or `wss://`, with a `?token=` if the server wants one. */
  wsUrl: string
  /** Which certificate of the server counts. Default: one that Node trusts. */
  trust?: ServerTrust | undefined
  ufoClient: UFOClient
  /** Attempts in a row that may fail. Default 3. */
  maxRetries?: number
  /** Time between two heartbeats, in seconds. Default 120. */
  timeout?: number
  clock?: Clock
  logger?: Logger
  /** Describes the device; default `DeviceInfoProvider.collectSystemInfo`. */
  collectInfo?: (clientId: string) => DeviceInfo
  /** Collects what is pushed to a server of Orrery with the MCP servers and tools. */
  details?: () => DeviceDetails
  /** The largest frame that a server of Orrery sends, in bytes. Default 8 MiB. */
  maxFrame?: number
  /** Keeps what has run, so that sessions survive lost connections where the server can do that too. */
  journal?: CommandJournal
  /** With false, sessions end with the connection; of the journal only the token counts, which proves that the id is this device's. Default true. */
  resume?: boolean
  /** Keep trying to reach a server that resumes sessions, whatever `maxRetries` says. Default false. */
  persistent?: boolean
  /** Calls that wait for permission. */
  approvals?: Approvals
  /** Dials for whole files; it gets what each registration has agreed on. */
  transfers?: TransferDialer
  /** Whether files are transferred. Default: if there is a dialer for that. */
  files?: boolean | undefined
  /** Interactive terminals; left out where there are none. */
  terminals?: DeviceTerminals | undefined
  /** Longest wait before another attempt then, in seconds. Default 5. */
  longestWaitS?: number
  /** Called after each registration. */
  onRegistered?: () => void
  /** Called when an attempt has failed, or a connection has ended, with the reason. */
  onFailed?: ((error: unknown) => void) | undefined
}

/** Waits between two attempts: 2^n seconds after the n-th failure (seed 000; contradictions, C-32), at most an hour, because a timer cannot wait for the twenty-second. */
const RETRY_WAIT = { firstMs: 2000, longestMs: DEVICE_LIMITS.reconnectWait }

/** Why {@link UFOWebSocketClient.connectAndListen} has ended. */
export type ConnectionEnd = 'stopped' | 'retries_spent'

/** The device's end of the connection: registers, beats, takes messages in and sends results; connects again when it drops. */
export class UFOWebSocketClient extends MessageHandlers {
  readonly ufoClient: UFOClient
  readonly maxRetries: number
  /** Time between two heartbeats, in seconds. */
  readonly timeout: number
  readonly connectedEvent = new ConnectedEvent()
  /** Failed attempts in a row. */
  retryCount = 0
  readonly #options: UFOWebSocketClientOptions
  protected readonly logger: Logger
  readonly #stopping = new AbortController()
  readonly #link: ReconnectingLink
  protected readonly sessions: DeviceSessions
  protected readonly terminals: DeviceTerminals | null
  readonly #reports: StateReports
  /** Whether the server has refused the key. */
  #isRefused = false
  /** As collected last. */
  #details: DeviceDetails | undefined

  constructor(options: UFOWebSocketClientOptions) {
    super()
    this.ufoClient = options.ufoClient
    this.maxRetries = options.maxRetries ?? 3
    this.timeout = options.timeout ?? 120
    this.#options = options
    const { clock = systemClock, logger = silentLogger } = options
    this.logger = logger
    this.terminals = options.terminals ?? null
    this.#reports = new StateReports(() => ({ ...this.#details, ...deviceState(this.ufoClient) }), clock, logger)
    this.ufoClient.mcpServerManager.onChange = () => this.#reports.changed()
    this.sessions = new DeviceSessions({
      ufoClient: this.ufoClient,
      clock,
      logger,
      journal: options.resume === false ? null : (options.journal ?? null),
      approvals: options.approvals ?? null,
      connection: () => (this.isConnected() ? this.connection : null),
    })
    this.#link = new ReconnectingLink({
      url: options.wsUrl,
      trust: options.trust,
      clock,
      logger,
      signal: this.#stopping.signal,
      register: () => this.registerClient(),
      listen: () => this.receiveLoop(),
      beat: (_connection, signal) => this.heartbeatLoop(this.timeout, signal),
      ended: () => this.#ended(),
      retry: (down) => this.#retry(down),
    })
  }

  /** The connection that was made last, with its protocols; null before the first. */
  get connection(): ServerConnection | null {
    return this.#link.connection
  }

  /** The session of the last COMMAND. */
  get sessionId(): string | null {
    return this.sessions.lastSessionId
  }

  /** The task request that was sent last; settles when it was sent. */
  get currentTask(): Promise<void> | null {
    return this.sessions.requests.current
  }

  /** Connects, registers and listens, again and again, until the attempts are spent or {@link stop} is called. */
  async connectAndListen(): Promise<ConnectionEnd> {
    if ((await this.#link.run()) === 'stopped') return 'stopped'
    await this.sessions.stop()
    await this.terminals?.close()
    this.logger.error(this.#isRefused ? '[WS] The server refuses the key. Exiting.' : '[WS] Max retries reached. Exiting.')
    return 'retries_spent'
  }

  /** Closes the connection with 1000 and makes no other; what runs is cancelled. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.sessions.stop()
    await this.terminals?.close()
    await this.#link.drop()
  }

  /** Registered, and the socket is open. */
  isConnected(): boolean {
    return this.connectedEvent.isSet() && this.connection?.transport.state === 'connected'
  }

  /**
   * Registers on the connection that was just made.
   * @throws AipError `REGISTRATION_FAILED` if the server refuses, `TIMEOUT` if it does not answer in time
   */
  async registerClient(): Promise<void> {
    const { clientId, platform } = this.ufoClient
    const { connection } = this
    if (connection === null) throw aipError('NOT_CONNECTED')
    const agreement = await registerDevice(connection, {
      clientId,
      platform,
      collect: this.#options.collectInfo,
      token: this.#options.journal?.resumeToken ?? null,
      resumes: this.#options.journal !== undefined && this.#options.resume !== false,
      asks: this.#options.approvals?.viaServer === true,
      files: this.#options.files ?? this.#options.transfers !== undefined,
      terminals: this.terminals !== null,
      maxFrame: this.#options.maxFrame ?? LIMITS.deviceFrame,
    })
    this.#options.transfers?.agree(agreement?.transfer_key ?? null)
    await this.sessions.agree(connection, agreement)
    this.retryCount = 0
    this.connectedEvent.set()
    this.logger.info(`[WS] [AIP] ✅ Successfully registered as ${clientId}`)
    this.#options.onRegistered?.()
    this.sessions.registered(connection)
    // Existing servers do not know such reports.
    if (agreement === null) return
    this.#details = this.#options.details?.()
    this.#reports.reach((state) => connection.deviceInfo.sendDeviceState(clientId, state))
  }

  /**
   * Sends heartbeats, the first after one interval, until one cannot be sent or the signal aborts. Never throws.
   * @param intervalS seconds
   */
  async heartbeatLoop(intervalS = 30, signal?: AbortSignal): Promise<void> {
    if (this.connection === null) return
    const { clientId } = this.ufoClient
    await heartbeatLoop(this.connection.heartbeat, { clientId, clientType: 'device', intervalS, signal })
  }

  protected async describe({ deviceInfo }: ServerConnection): Promise<void> {
    const { clientId } = this.ufoClient
    const { system_info: info } = describeDevice({ clientId, collect: this.#options.collectInfo }, this.logger)
    this.#details = this.#options.details?.()
    await deviceInfo.sendDeviceInfoPush(clientId, { ...info, ...this.#details, ...deviceState(this.ufoClient) })
  }

  #ended(): void {
    this.connectedEvent.clear()
    this.#reports.reach(null)
    this.sessions.dropped()
  }

  /** Returns the wait before the next attempt in milliseconds; null if the last was the last that is allowed. */
  #retry({ error, closed }: Down): number | null {
    const reason = closed === null ? error : new AipError('CONNECTION_CLOSED', `${closed.code} ${closed.reason}`.trimEnd())
    const lost = isAipError(reason, 'CONNECTION_CLOSED')
    logError(this.logger, `[WS] ${lost ? 'Connection closed' : 'Unexpected error'}`, reason)
    this.retryCount += 1
    this.#options.onFailed?.(reason)
    const forEver = this.#triesForEver()
    this.#isRefused = isOwnRefusal(error)
    // A key does not become right, but a server that knows this device may have been started with other keys by mistake.
    if (!forEver && (this.#isRefused || this.retryCount >= this.maxRetries)) return null
    const { longestWaitS } = this.#options
    const wait = forEver
      ? resumeWait(longestWaitS === undefined ? undefined : longestWaitS * 1000)
      : backoff(this.retryCount, RETRY_WAIT)
    this.logger.info(`[WS] Retrying in ${wait / 1000}s...`)
    return wait
  }

  #triesForEver(): boolean {
    const { journal, persistent, resume } = this.#options
    // A token in the journal says that there is such a server too, from before a restart of this process.
    const knowsServer = this.sessions.resumes || (journal?.resumeToken ?? null) !== null
    return knowsServer && persistent === true && resume !== false
  }
}
