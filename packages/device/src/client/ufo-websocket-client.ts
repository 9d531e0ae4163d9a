import {
  AIPProtocol,
  AipError,
  HeartbeatProtocol,
  LIMITS,
  RegistrationProtocol,
  TaskExecutionProtocol,
  TaskStatus,
  aipError,
  messageOf,
  silentLogger,
  sleep,
  systemClock,
  type Clock,
  type DeviceInfo,
  type Logger,
  type ServerMessage,
  type Transport,
} from '@orrery/aip'
import { DEVICE_SOCKET, WebSocketTransport } from '@orrery/aip/node'
import type { UFOClient } from '../computer/ufo-client.js'
import { withTimeLimit } from '../time-limit.js'
import { sessionPlatform } from '../info/device-info-provider.js'
import { BatchRunner } from './batch-runner.js'
import { ConnectedEvent } from './connected-event.js'
import type { CommandJournal } from '../journal/command-journal.js'
import { describeDevice, negotiatedIn, type Negotiated } from './registration.js'
import { heartbeatLoop } from './heartbeat-loop.js'
import { logText } from './log-text.js'
import { sendableResults } from './sendable-results.js'
import { SessionSlot } from './session-slot.js'
import { TaskRequests, type Requestee } from './task-requests.js'

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
  /** Called after each registration. */
  onRegistered?: () => void
}

/** Why {@link UFOWebSocketClient.connectAndListen} has ended. */
export type ConnectionEnd = 'stopped' | 'retries_spent'

/** The life of a connection: all that is made anew for each. */
interface Connection {
  transport: Transport
  aip: AIPProtocol<'client'>
  features: ReadonlySet<string>
}

/** Bounds of the wait before another attempt to reach a server that resumes sessions, in milliseconds. */
const RESUME_WAIT = { least: 500, most: 5000 }
/** Longest wait between two attempts, in seconds; the twelfth would be longer, and a timer cannot wait for the twenty-second. */
const LONGEST_WAIT = 3600

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
  /** The session of the last COMMAND. */
  sessionId: string | null = null
  transport: Transport | null = null
  registrationProtocol: RegistrationProtocol | null = null
  heartbeatProtocol: HeartbeatProtocol | null = null
  taskProtocol: TaskExecutionProtocol | null = null
  readonly #options: UFOWebSocketClientOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #slot: SessionSlot
  readonly #batches: BatchRunner
  readonly #stopping = new AbortController()
  readonly #journal: CommandJournal | null
  /** Whether the server of the last registration resumes sessions. */
  #resumes = false
  readonly #requests: TaskRequests
  #connection: Connection | null = null

  constructor(options: UFOWebSocketClientOptions) {
    this.wsUrl = options.wsUrl
    this.ufoClient = options.ufoClient
    this.maxRetries = options.maxRetries ?? 3
    this.timeout = options.timeout ?? 120
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#slot = new SessionSlot(this.#clock)
    this.#journal = options.journal ?? null
    this.#batches = new BatchRunner(this.ufoClient, this.#slot, this.#logger, this.#journal)
    const requestee = (): Requestee => ({ tasks: this.taskProtocol, aip: this.#connection?.aip ?? null })
    this.#requests = new TaskRequests(this.ufoClient, this.#slot, this.#logger, requestee)
  }

  /** The task request that was sent last; settles when it was sent. */
  get currentTask(): Promise<void> | null {
    return this.#requests.current
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
        await this.#maybeRetry()
      }
    }
    if (signal.aborted) return 'stopped'
    this.#logger.error('[WS] Max retries reached. Exiting.')
    return 'retries_spent'
  }

  /** Closes the connection with 1000 and makes no other; what runs is cancelled. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#batches.cancel()
    await this.#batches.idle()
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
    if (this.registrationProtocol === null) throw aipError('NOT_CONNECTED')
    const metadata = describeDevice(clientId, {
      collect: this.#options.collectInfo,
      now: this.#clock.now(),
      logger: this.#logger,
      journal: this.#journal,
    })
    this.#logger.info(`[WS] [AIP] Attempting to register as ${clientId}`)
    const answer = this.registrationProtocol.register({
      clientId,
      clientType: 'device',
      platform: sessionPlatform(platform),
      metadata,
    })
    const limits = { clock: this.#clock, ms: LIMITS.registrationTime, operation: 'Registration' }
    const outcome = await withTimeLimit(answer, limits)
    if (!outcome.accepted) {
      this.#logger.error(`[WS] [AIP] ❌ Failed to register as ${clientId}`)
      this.#logger.error(`[WS] Server error: ${outcome.reason}`)
      throw aipError('REGISTRATION_FAILED', { id: clientId })
    }
    await this.#agree(negotiatedIn(outcome.confirmation.result))
    this.retryCount = 0
    this.connectedEvent.set()
    this.#logger.info(`[WS] [AIP] ✅ Successfully registered as ${clientId}`)
    this.#options.onRegistered?.()
  }

  /** Takes what the server has answered: features, the token for the next time, and which session goes on. */
  async #agree({ features, resumeToken, sessionId }: Negotiated): Promise<void> {
    if (this.#connection !== null) this.#connection.features = features
    this.#resumes = this.#journal !== null && features.has('resume') && features.has('journal')
    if (!this.#resumes) return
    this.transport?.setKeepAlive(LIMITS.resumePing, LIMITS.resumeSilence)
    if (resumeToken !== null) await this.#journal?.keepToken(resumeToken)
    const before = this.#slot.sessionId
    if (this.#slot.keepOnly(sessionId)) {
      this.#batches.cancel({ sessionId: before })
      this.#reset()
    }
    this.#inBackground(this.#sendAgain())
  }

  /** Sends the results that the server has not acknowledged. */
  async #sendAgain(): Promise<void> {
    const tasks = this.taskProtocol
    for (const batch of this.#journal?.unacknowledged() ?? []) {
      await tasks?.sendTaskResult({
        sessionId: batch.session_id,
        prevResponseId: batch.response_id,
        actionResults: sendableResults(batch.results),
        status: TaskStatus.catch('continue').parse(batch.status),
        clientId: this.ufoClient.clientId,
      })
    }
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
    return this.#requests.start(request, taskName ?? crypto.randomUUID())
  }

  /** Tells how a session ended and frees the device. */
  handleTaskEnd(end: Pick<ServerMessage, 'session_id' | 'status' | 'result' | 'error'>): void {
    const { session_id: session, status } = end
    if (status === 'completed') this.#logger.info(`[WS] Task ${session} completed, result: ${logText(end.result)}`)
    else if (status === 'failed') this.#logger.info(`[WS] Task ${session} failed, with error: ${logText(end.error)}`)
    else this.#logger.warn(`[WS] Unknown task status for ${session}: ${status}`)
    if (!this.#slot.holds(session)) return
    this.#slot.release()
    this.#batches.cancel({ sessionId: session })
    this.#reset()
  }

  async #connectOnce(): Promise<void> {
    this.connectedEvent.clear()
    const { signal } = this.#stopping
    const transport = await WebSocketTransport.connect(this.wsUrl, { ...DEVICE_SOCKET, clock: this.#clock, signal })
    const aip = new AIPProtocol(transport, { side: 'client', clock: this.#clock, logger: this.#logger })
    this.transport = transport
    this.#connection = { transport, aip, features: new Set() }
    this.registrationProtocol = new RegistrationProtocol(aip)
    this.heartbeatProtocol = new HeartbeatProtocol(aip)
    this.taskProtocol = new TaskExecutionProtocol(aip)
    try {
      if (signal.aborted) throw aipError('CONNECTION_CLOSED')
      await this.registerClient()
      await this.#handleMessages(transport)
    } finally {
      this.connectedEvent.clear()
      this.#connection = null
      await transport.close(1000)
      if (!this.#resumes || this.#isStopping()) {
        this.#slot.release()
        this.#batches.cancel()
        this.#reset()
      }
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

  #route(message: ServerMessage, connection: Connection): void {
    switch (message.type) {
      case 'task':
        return this.#inBackground(this.startTask(message.user_request ?? '', message.task_name))
      case 'command':
        this.sessionId = message.session_id
        return this.#inBackground(this.#handleCommands(message, connection))
      case 'task_end':
        return this.handleTaskEnd(message)
      case 'cancel':
        this.#logger.info(`[WS] Cancelling in session ${message.session_id}: ${logText(message.reason)}`)
        this.#batches.cancel({ sessionId: message.session_id, responseId: message.response_id, callId: message.call_id })
        return undefined
      case 'heartbeat':
        if (message.session_id !== null) this.#slot.name(message.session_id)
        return this.#logger.info('[WS] Heartbeat received')
      case 'error':
        // A task that was refused never gets a session, so it never gets an end.
        if (this.#slot.sessionId === null) this.#slot.release()
        return this.#logger.error(`[WS] Server error: ${logText(message.error)}`)
      case 'results_ack':
        if (message.response_id !== null && this.#journal !== null)
          this.#inBackground(this.#journal.acknowledged(message.response_id))
        return undefined
      case 'device_info_request':
      case 'device_info_response':
      case 'answer':
        return this.#logger.warn(`[WS] Unknown message type: ${message.type}`)
    }
  }

  async #handleCommands(message: Extract<ServerMessage, { type: 'command' }>, connection: Connection): Promise<void> {
    const tasks = new TaskExecutionProtocol(connection.aip)
    const { clientId } = this.ufoClient
    const results = await this.#batches.run(message, (report) => {
      if (!connection.features.has('progress')) return
      tasks.sendProgress({ ...report, clientId }).catch(() => {})
    })
    // With a journal, results that cannot be sent now are sent after the next registration.
    if (this.#resumes && connection.transport.state !== 'connected') return
    await tasks.sendTaskResult({
      sessionId: message.session_id,
      prevResponseId: message.response_id,
      actionResults: sendableResults(results),
      status: message.status,
      clientId,
    })
    this.#logger.info(`[WS] [AIP] Sent client result for prev_response_id: ${message.response_id}`)
    if (message.status === 'completed' || message.status === 'failed') this.handleTaskEnd(message)
  }

  #triesForEver(): boolean {
    return this.#resumes && this.#options.persistent === true
  }

  /** Waits 2^n seconds after the n-th failure in a row, unless it was the last that is allowed (contradictions, C-32). */
  async #maybeRetry(): Promise<void> {
    if (this.#triesForEver()) {
      const ms = RESUME_WAIT.least + Math.random() * (RESUME_WAIT.most - RESUME_WAIT.least)
      this.#logger.info(`[WS] Retrying in ${(ms / 1000).toFixed(1)}s...`)
      return sleep(this.#clock, ms, this.#stopping.signal)
    }
    if (this.retryCount >= this.maxRetries) return
    const seconds = Math.min(LONGEST_WAIT, 2 ** this.retryCount)
    this.#logger.info(`[WS] Retrying in ${seconds}s...`)
    await sleep(this.#clock, seconds * 1000, this.#stopping.signal)
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  #reset(): void {
    this.#inBackground(this.ufoClient.taskLock.run(() => this.ufoClient.reset()))
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#logger.error(`[WS] Error handling message: ${messageOf(error)}`))
  }
}
