import {
  AipError,
  LIMITS,
  PINGS_PER_SILENCE,
  aipError,
  messageOf,
  resumeWait,
  silentLogger,
  sleep,
  systemClock,
  type Clock,
  type DeviceInfo,
  type HeartbeatProtocol,
  type Logger,
  type RegistrationProtocol,
  type ServerMessage,
  type TaskExecutionProtocol,
  type Transport,
} from '@orrery/aip'
import type { UFOClient } from '../computer/ufo-client.js'
import type { CommandJournal } from '../journal/command-journal.js'
import type { Approvals } from '../policy/approvals.js'
import { ConnectedEvent } from './connected-event.js'
import { dialServer, type DeviceConnection } from './device-connection.js'
import { deviceState } from './device-state.js'
import { DeviceSessions } from './device-sessions.js'
import { heartbeatLoop } from './heartbeat-loop.js'
import { logText } from './log-text.js'
import { registerDevice } from './registration.js'
import { retryWait } from './retry-wait.js'
import { StateReports } from './state-reports.js'
import type { TransferDialer } from './transfer-dialer.js'

/** What a {@link UFOWebSocketClient} is built from. */
export interface UFOWebSocketClientOptions {
  /** `ws://` or `wss://`, with a `?token=` if the server wants one. */
  wsUrl: string
  ufoClient: UFOClient
  /** Attempts in a row that may fail. Default 3. */
  maxRetries?: number
  /** Time between two heartbeats, in seconds. Default 120. */
  timeout?: number
  clock?: Clock
  logger?: Logger
  /** Collects what the device tells about itself; default `DeviceInfoProvider.collectSystemInfo`. */
  collectInfo?: (clientId: string) => DeviceInfo
  /** Keeps what has run, so that sessions survive lost connections where the server can do that too. */
  journal?: CommandJournal
  /** Try for ever to reach a server with which sessions can be resumed, whatever `maxRetries` says. Default false. */
  persistent?: boolean
  /** Calls that wait for somebody's permission. */
  approvals?: Approvals
  /** Dials for whole files; it is told what each registration has agreed on. */
  transfers?: TransferDialer
  /** Longest wait before another attempt then, in seconds. Default 5. */
  longestWaitS?: number
  /** Called after each registration. */
  onRegistered?: () => void
  /** Called when an attempt has failed, or a connection has ended, with the reason. */
  onFailed?: ((error: unknown) => void) | undefined
}

/** Why {@link UFOWebSocketClient.connectAndListen} has ended. */
export type ConnectionEnd = 'stopped' | 'retries_spent'

/** The device's end of the connection: registers, beats, takes messages in and sends results; connects again when it drops. */
export class UFOWebSocketClient {
  readonly wsUrl: string
  readonly ufoClient: UFOClient
  readonly maxRetries: number
  /** Time between two heartbeats, in seconds. */
  readonly timeout: number
  readonly connectedEvent = new ConnectedEvent()
  /** Failed attempts in a row. */
  retryCount = 0
  transport: Transport | null = null
  registrationProtocol: RegistrationProtocol | null = null
  heartbeatProtocol: HeartbeatProtocol | null = null
  taskProtocol: TaskExecutionProtocol | null = null
  readonly #options: UFOWebSocketClientOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #stopping = new AbortController()
  readonly #sessions: DeviceSessions
  readonly #reports: StateReports
  #connection: DeviceConnection | null = null

  constructor(options: UFOWebSocketClientOptions) {
    this.wsUrl = options.wsUrl
    this.ufoClient = options.ufoClient
    this.maxRetries = options.maxRetries ?? 3
    this.timeout = options.timeout ?? 120
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    const { mcpServerManager: servers } = this.ufoClient
    this.#reports = new StateReports(() => deviceState(this.ufoClient), this.#clock, this.#logger)
    servers.onChange = () => this.#reports.changed()
    this.#sessions = new DeviceSessions({
      ufoClient: this.ufoClient,
      clock: this.#clock,
      logger: this.#logger,
      journal: options.journal ?? null,
      approvals: options.approvals ?? null,
      connection: () => (this.isConnected() ? this.#connection : null),
    })
  }

  /** The session of the last COMMAND. */
  get sessionId(): string | null {
    return this.#sessions.lastSessionId
  }

  /** The task request that was sent last; settles when it was sent. */
  get currentTask(): Promise<void> | null {
    return this.#sessions.requests.current
  }

  /** Connects, registers and listens, again and again, until the attempts are spent or {@link stop} is called. */
  async connectAndListen(): Promise<ConnectionEnd> {
    const { signal } = this.#stopping
    while (!signal.aborted && (this.#triesForEver() || this.retryCount < this.maxRetries)) {
      try {
        await this.#connectOnce()
      } catch (error) {
        if (this.#isStopping()) break
        const closed = error instanceof AipError && error.code === 'CONNECTION_CLOSED'
        this.#logger.error(`[WS] ${closed ? 'Connection closed' : 'Unexpected error'}: ${messageOf(error)}`)
        this.retryCount += 1
        this.#options.onFailed?.(error)
        await this.#maybeRetry()
      }
    }
    if (signal.aborted) return 'stopped'
    await this.#sessions.stop()
    this.#logger.error('[WS] Max retries reached. Exiting.')
    return 'retries_spent'
  }

  /** Closes the connection with 1000 and makes no other; what runs is cancelled. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#sessions.stop()
    await this.transport?.close(1000)
  }

  /** Registered, and the socket is open. */
  isConnected(): boolean {
    return this.connectedEvent.isSet() && this.transport?.state === 'connected'
  }

  /**
   * Registers on the connection that was just made.
   * @throws AipError `REGISTRATION_FAILED` if the server refuses, `TIMEOUT` if it does not answer in time
   */
  async registerClient(): Promise<void> {
    const { clientId, platform } = this.ufoClient
    const connection = this.#connection
    if (connection === null) throw aipError('NOT_CONNECTED')
    const agreement = await registerDevice(connection, {
      clientId,
      platform,
      collect: this.#options.collectInfo,
      clock: this.#clock,
      logger: this.#logger,
      journal: this.#options.journal ?? null,
      asks: this.#options.approvals?.viaServer === true,
      files: this.#options.transfers !== undefined,
    })
    this.#options.transfers?.agree(agreement?.transfer_key ?? null)
    await this.#sessions.agree(connection, agreement)
    const silenceMs = agreement?.heartbeat_ms ?? LIMITS.resumeSilence
    if (this.#sessions.resumes) connection.transport.setKeepAlive(silenceMs / PINGS_PER_SILENCE, silenceMs)
    this.retryCount = 0
    this.connectedEvent.set()
    this.#logger.info(`[WS] [AIP] ✅ Successfully registered as ${clientId}`)
    this.#options.onRegistered?.()
    // Existing servers do not know such reports.
    if (agreement !== null) this.#reports.reach((state) => connection.deviceInfo.sendDeviceState(clientId, state))
  }

  /**
   * Sends heartbeats, the first after one interval, until one cannot be sent or the signal aborts. Never throws.
   * @param intervalS seconds
   */
  async heartbeatLoop(intervalS = 30, signal?: AbortSignal): Promise<void> {
    if (this.heartbeatProtocol === null) return
    const options = { clientId: this.ufoClient.clientId, intervalS, clock: this.#clock, logger: this.#logger, signal }
    await heartbeatLoop(this.heartbeatProtocol, options)
  }

  /** Handles one frame of the server. Never throws and never waits for a command or a task: those go on by themselves. */
  async handleMessage(frame: string | Uint8Array): Promise<void> {
    const connection = this.#connection
    if (connection === null) return
    try {
      const message = await connection.aip.readMessage(frame)
      this.#logger.info(`[WS] Received message: ${logText(frame)}`)
      this.#route(message, connection)
    } catch (error) {
      this.#logger.error(`[WS] Error handling message: ${messageOf(error)}`)
    }
  }

  /**
   * Asks the server to run a task on this device. Settles when the request was sent; a failure is logged and told to the server.
   * @param taskName default: a fresh UUID
   */
  startTask(request: string, taskName?: string | null): Promise<void> {
    return this.#sessions.requests.start(request, taskName)
  }

  /** Tells how a session ended and frees the device. */
  handleTaskEnd(end: Pick<ServerMessage, 'session_id' | 'status' | 'result' | 'error'>): void {
    this.#sessions.end(end)
  }

  async #connectOnce(): Promise<void> {
    this.connectedEvent.clear()
    const { signal } = this.#stopping
    const connection = await dialServer(this.wsUrl, { clock: this.#clock, logger: this.#logger, signal })
    const { transport } = connection
    this.#connection = connection
    this.transport = transport
    this.registrationProtocol = connection.registration
    this.heartbeatProtocol = connection.heartbeat
    this.taskProtocol = connection.tasks
    try {
      if (signal.aborted) throw aipError('CONNECTION_CLOSED')
      await this.registerClient()
      await this.#handleMessages(transport)
    } finally {
      this.connectedEvent.clear()
      this.#reports.reach(null)
      this.#connection = null
      await transport.close(1000)
      this.#sessions.dropped()
    }
  }

  /** Runs the two loops; the end of one is the end of the other. @throws AipError `CONNECTION_CLOSED` */
  async #handleMessages(transport: Transport): Promise<never> {
    const ended = new AbortController()
    const receiving = this.#receiveLoop(transport)
    try {
      await Promise.race([receiving, this.heartbeatLoop(this.timeout, ended.signal)])
    } finally {
      ended.abort()
      transport.terminate()
      await receiving
    }
    const { code, reason } = await transport.closed
    throw new AipError('CONNECTION_CLOSED', `${code} ${reason}`.trimEnd())
  }

  async #receiveLoop(transport: Transport): Promise<void> {
    for (;;) {
      let frame: string | Uint8Array
      try {
        frame = await transport.receive()
      } catch {
        return
      }
      await this.handleMessage(frame)
    }
  }

  #route(message: ServerMessage, connection: DeviceConnection): void {
    const sessions = this.#sessions
    switch (message.type) {
      case 'task':
        return sessions.inBackground(this.startTask(message.user_request ?? '', message.task_name))
      case 'command':
        return sessions.inBackground(sessions.runBatch(message, connection))
      case 'task_end':
        return this.handleTaskEnd(message)
      case 'cancel':
        return sessions.cancel(message)
      case 'results_ack':
        return sessions.inBackground(sessions.acknowledged(message.response_id))
      case 'heartbeat':
        if (message.session_id !== null) sessions.named(message.session_id)
        return this.#logger.info('[WS] Heartbeat received')
      case 'error':
        sessions.refused()
        return this.#logger.error(`[WS] Server error: ${logText(message.error)}`)
      case 'answer':
        return sessions.answered(message)
      case 'device_info_request':
      case 'device_info_response':
        return this.#logger.warn(`[WS] Unknown message type: ${message.type}`)
    }
  }

  #triesForEver(): boolean {
    // A token in the journal tells of such a server too, from before a restart of this process.
    const knowsServer = this.#sessions.resumes || (this.#options.journal?.resumeToken ?? null) !== null
    return knowsServer && this.#options.persistent === true
  }

  /** Waits before the next attempt, unless the last was the last that is allowed. */
  async #maybeRetry(): Promise<void> {
    const forEver = this.#triesForEver()
    if (!forEver && this.retryCount >= this.maxRetries) return
    const seconds = forEver
      ? resumeWait(this.#options.longestWaitS === undefined ? undefined : this.#options.longestWaitS * 1000) / 1000
      : retryWait(this.retryCount)
    this.#logger.info(`[WS] Retrying in ${seconds}s...`)
    await sleep(this.#clock, seconds * 1000, this.#stopping.signal)
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }
}
