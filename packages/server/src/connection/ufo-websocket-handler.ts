import {
  AIPProtocol,
  AipError,
  DeviceInfoProtocol,
  SilenceWatch,
  HeartbeatProtocol,
  LIMITS,
  type TaskExecutionProtocol,
  aipError,
  messageOf,
  readDevicePush,
  systemClock,
  type Clock,
  type ClientMessage,
  type ClientMessageType,
  type CloseInfo,
  type Dialect,
  type Logger,
  type Transport,
} from '@orrery/aip'
import type { ClientConnectionManager, ClientInfo } from '../clients/client-connection-manager.js'
import type { KnownDevices } from '../clients/known-devices.js'
import type { Fleet } from '../fleet/fleet.js'
import type { Principal } from '../identity/principal.js'
import type { Asks } from '../sessions/asks.js'
import type { SessionManager } from '../sessions/session-manager.js'
import type { ResumeTokens } from '../clients/resume-tokens.js'
import { DeviceOverlays } from '../config/device-overlays.js'
import { SERVER_LIMITS } from '../limits.js'
import { checkIdentity } from './check-identity.js'
import { endRefusedTask } from './refused-task.js'
import { Registration } from './registration.js'
import type { RegistrationRules } from './registration-rules.js'
import { Resumption } from './resumption.js'
import { taskFrom } from './task-intake.js'
import { TaskLine } from './task-line.js'
import { serverError } from '../errors.js'

/** One registered connection: its pinned identity and its protocols. */
interface ConnectionContext {
  readonly client: ClientInfo
  readonly aip: AIPProtocol<'server'>
  readonly heartbeat: HeartbeatProtocol
  readonly deviceInfo: DeviceInfoProtocol
  readonly task: TaskExecutionProtocol
  readonly line: TaskLine
}

/** A handler for each type of message; a type without one does not compile. */
type Handlers = {
  [T in ClientMessageType]: (message: Extract<ClientMessage, { type: T }>, context: ConnectionContext) => void | Promise<void>
}

/** The server's end of every connection: registration, dispatch of messages, clean-up. */
export class UFOWebSocketHandler {
  readonly #clients: ClientConnectionManager
  readonly #sessions: SessionManager
  readonly #known: KnownDevices
  readonly #fleet: Fleet
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #dialect: Dialect | 'auto'
  readonly #rules: RegistrationRules
  readonly #overlays: DeviceOverlays
  readonly #tokens: ResumeTokens
  readonly #asks: Asks
  readonly #heartbeatTimeoutMs: number | undefined
  readonly #resumption: Resumption
  readonly #resumeSilenceMs: number
  readonly #handlers: Handlers = {
    task: (message, context) => this.handleTaskRequest(message, context),
    command_results: (message, context) => this.handleCommandResult(message, context),
    heartbeat: (_, context) => this.handleHeartbeat(context),
    error: (message, context) => this.handleError(message, context),
    device_info_request: (message, context) => this.handleDeviceInfoRequest(message, context),
    device_info_response: (message, context) => this.handleDeviceInfoResponse(message, context),
    progress: (message, context) => this.handleProgress(message, context),
    register: (message, context) => this.handleUnknown(message, context),
    task_end: (message, context) => this.handleTaskEnd(message, context),
    ask: (message, context) => this.handleAsk(message, context),
  }

  constructor(options: {
    clientManager: ClientConnectionManager
    sessionManager: SessionManager
    known: KnownDevices
    fleet: Fleet
    logger: Logger
    clock?: Clock
    dialect?: Dialect | 'auto'
    rules?: RegistrationRules
    overlays?: DeviceOverlays
    tokens: ResumeTokens
    asks: Asks
    /** Milliseconds of silence after which a client is dropped. Default: never. */
    heartbeatTimeoutMs?: number | undefined
    /** Milliseconds without an answer after which a connection that can resume counts as dead. Default 30 s. */
    resumeSilenceMs?: number | undefined
  }) {
    this.#clients = options.clientManager
    this.#sessions = options.sessionManager
    this.#known = options.known
    this.#fleet = options.fleet
    this.#logger = options.logger
    this.#clock = options.clock ?? systemClock
    this.#dialect = options.dialect ?? 'auto'
    this.#rules = options.rules ?? {}
    this.#overlays = options.overlays ?? DeviceOverlays.load(undefined)
    this.#tokens = options.tokens
    this.#asks = options.asks
    this.#heartbeatTimeoutMs = options.heartbeatTimeoutMs
    this.#resumption = new Resumption(this.#sessions, this.#logger)
    this.#resumeSilenceMs = options.resumeSilenceMs ?? LIMITS.resumeSilence
  }

  /**
   * Serves one connection until it closes. Never throws.
   * @param shown the principal whose key the handshake carried
   * @param registered called once the client is registered
   */
  async handler(transport: Transport, shown: Principal, registered: () => void = () => {}): Promise<void> {
    const aip = new AIPProtocol(transport, { side: 'server', clock: this.#clock, logger: this.#logger, dialect: this.#dialect })
    const client = await new Registration(aip, {
      clients: this.#clients,
      known: this.#known,
      logger: this.#logger,
      rules: this.#rules,
      overlays: this.#overlays,
      tokens: this.#tokens,
      resumption: this.#resumption,
      silenceMs: this.#resumeSilenceMs,
      lost: (lost) => this.disconnect(lost, { code: 1006, reason: 'lost before its registration was confirmed' }),
    }).accept(shown)
    if (client === null) return
    registered()
    this.#resumption.back(client)
    const context: ConnectionContext = {
      client,
      aip,
      heartbeat: new HeartbeatProtocol(aip),
      deviceInfo: new DeviceInfoProtocol(aip),
      task: client.taskProtocol,
      line: new TaskLine(client.clientId),
    }
    const watch = this.#watch(client)
    try {
      // Messages are handled in order, and none waits for the work that an earlier one started.
      await transport.deliverTo((frame) => {
        watch?.heard()
        void this.handleMessage(frame, context)
      })
    } catch (error) {
      this.#logger.error(`[WS] Error with client ${client.clientId}: ${messageOf(error)}`)
    } finally {
      watch?.stop()
      // Unless the connection itself has ended, it is still open.
      if (transport.state !== 'disconnected') transport.terminate()
      this.disconnect(client, await transport.closed)
    }
  }

  /** Drops a client that is silent for too long, if the server's settings say so (seed 004: 2 to 3 missed heartbeats). */
  #watch({ clientId, transport }: ClientInfo): SilenceWatch | null {
    const limit = this.#heartbeatTimeoutMs
    if (limit === undefined) return null
    const watch = new SilenceWatch(this.#clock, limit, () => {
      this.#logger.warn(`[WS] ${clientId} was silent for ${limit / 1000} s`)
      transport.terminate()
    })
    watch.heard()
    return watch
  }

  /** Decodes and handles one frame. Whatever goes wrong, the sender gets an error and the connection stays. */
  async handleMessage(frame: string | Uint8Array, context: ConnectionContext): Promise<void> {
    let message: ClientMessage | null = null
    try {
      const read = context.aip.readMessage(frame)
      message = read instanceof Promise ? await read : read
      checkIdentity(message, context.client)
      if (context.client.clientType === 'device') {
        this.#logger.debug(`[WS] 📱 Received device message from ${context.client.clientId}, type: ${message.type}`)
      }
      const handle = this.#handlers[message.type] as (message: ClientMessage, context: ConnectionContext) => void | Promise<void>
      await handle(message, context)
    } catch (error) {
      this.#logger.error(`Error handling ${message?.type === 'task' ? 'task' : 'message'}: ${messageOf(error)}`)
      const text = error instanceof AipError ? error.message : serverError('INTERNAL').message
      try {
        await context.aip.sendError(text)
        await endRefusedTask(message, context.client, error, text)
      } catch (failure) {
        this.#logger.debug(`Could not send error response: ${messageOf(failure)}`)
      }
    }
  }

  /** Accepts a task of this client, after its earlier ones: records it, acknowledges it, then runs it. */
  async handleTaskRequest(message: Extract<ClientMessage, { type: 'task' }>, context: ConnectionContext): Promise<void> {
    const { client, task, line } = context
    const { tasks } = this.#fleet
    const { acknowledged } = await line.next(async () => {
      const wanted = taskFrom(message, client, this.#clients, (request) => tasks.workOf(request))
      if (client.clientType === 'constellation') {
        this.#logger.info(`[WS] 🌟 Constellation ${client.clientId} requesting task on ${wanted.deviceId}`)
      }
      const { sessionId, begin } = await tasks.takeFrom(client.principal, wanted)
      // The acknowledgement leaves first, and the task does not wait for a client that reads it slowly.
      const sent = task.sendAck(sessionId)
      begin()
      return { acknowledged: sent }
    })
    await acknowledged
  }

  /** Hands results to the session that waits for them; unexpected ones are dropped. */
  async handleCommandResult(
    {
      prev_response_id: responseId,
      session_id: sessionId,
      action_results: results,
    }: Extract<ClientMessage, { type: 'command_results' }>,
    { client, task }: ConnectionContext,
  ): Promise<void> {
    this.#logger.debug(`[WS] Received command result for response_id=${responseId}, session_id=${sessionId}`)
    if (responseId === null || sessionId === null) return
    const taken = await this.#sessions.setResults(client.clientId, sessionId, responseId, results ?? [])
    if (taken) this.#logger.debug(`[WS] Command result set for response_id=${responseId}`)
    else this.#logger.debug(`[WS] Dropped results of ${client.clientId} that no session waits for: response_id=${responseId}`)
    // What was recorded, or will never be needed, need not be sent again.
    if (client.features.has('journal')) await task.sendResultsAck(responseId)
  }

  async handleHeartbeat({ client, heartbeat }: ConnectionContext): Promise<void> {
    this.#logger.debug(`[WS] [AIP] Heartbeat from ${client.clientId}`)
    try {
      await heartbeat.sendHeartbeatAck()
      this.#logger.debug(`[WS] [AIP] Heartbeat response sent to ${client.clientId}`)
    } catch (error) {
      this.#logger.debug(`[WS] [AIP] Could not send heartbeat ack: ${messageOf(error)}`)
    }
  }

  /** Logs a client's error and sends it back, as existing peers expect. */
  handleError({ error }: Extract<ClientMessage, { type: 'error' }>, { client, aip }: ConnectionContext): Promise<void> {
    const { message } = aipError('REPORTED_BY_PEER', { text: error ?? 'Unknown error' })
    this.#logger.error(`[WS] Error from ${client.clientId}: ${message}`)
    return aip.sendError(message)
  }

  /** Answers with what the device reported at its registration. */
  handleDeviceInfoRequest(
    { target_id: target, request_id: requestId }: Extract<ClientMessage, { type: 'device_info_request' }>,
    { client, deviceInfo }: ConnectionContext,
  ): Promise<void> {
    if (client.clientType !== 'constellation') throw serverError('INFO_FORBIDDEN')
    if (client.scope !== null && target !== client.scope) throw serverError('INFO_OUT_OF_SCOPE')
    this.#logger.info(`[WS] Constellation ${client.clientId} requesting info for device ${target}`)
    const info = target === null ? null : this.#fleet.devices.systemInfo(client.principal, target)
    return deviceInfo.sendDeviceInfoResponse(
      info ?? { error: serverError('DEVICE_OFFLINE', { id: target ?? '' }).message },
      requestId,
    )
  }

  /** Keeps what a device reports about itself and its MCP servers. */
  handleDeviceInfoResponse(
    { metadata }: Extract<ClientMessage, { type: 'device_info_response' }>,
    { client }: ConnectionContext,
  ): void {
    if (client.clientType !== 'device' || metadata === null) return
    const { clientId } = client
    const { mcp_servers: servers, tools, info } = readDevicePush(metadata)
    assertFits(metadata, SERVER_LIMITS.devicePush)
    if (info !== null) {
      // Values from the registration and the server's settings stay.
      const merged = { ...client.systemInfo, ...info }
      assertFits(merged, SERVER_LIMITS.deviceInfo)
      client.systemInfo = this.#overlays.describe(clientId, merged)
    }
    if (servers !== null) client.mcpServers = servers
    if (tools !== null) this.#known.listed(clientId, tools)
    if (servers !== null || info !== null) this.#known.seen({ ...client, features: [...client.features] })
  }

  handleProgress(
    { session_id: sessionId, call_id, progress, total, message }: Extract<ClientMessage, { type: 'progress' }>,
    { client }: ConnectionContext,
  ): void {
    const session = sessionId === null ? undefined : this.#sessions.live.get(sessionId)
    if (session?.task.deviceId !== client.clientId) return
    const tool = session.dispatcher.toolOf(call_id)
    if (tool !== undefined) session.log.report({ call_id, tool, progress, total, message })
  }

  /** Takes a device's question whether a call may run. */
  async handleAsk(message: Extract<ClientMessage, { type: 'ask' }>, context: ConnectionContext): Promise<void> {
    const { clientId, features } = context.client
    if (!features.has('ask')) return this.handleUnknown(message, context)
    await this.#asks.asked(clientId, message)
  }

  /** Notes that a client with the feature resume has received the end of a task. */
  async handleTaskEnd(message: Extract<ClientMessage, { type: 'task_end' }>, context: ConnectionContext): Promise<void> {
    const { clientId, features } = context.client
    if (!features.has('resume')) return this.handleUnknown(message, context)
    if (message.session_id !== null) await this.#sessions.delivery.acknowledged(clientId, message.session_id)
  }

  /** Refuses a type that this client may not send now. */
  handleUnknown({ type }: ClientMessage, { client, aip }: ConnectionContext): Promise<void> {
    this.#logger.warn(`[WS] Unknown message type from ${client.clientId}: ${type}`)
    return aip.sendError(aipError('UNKNOWN_MESSAGE_TYPE', { type: `ClientMessageType.${type.toUpperCase()}` }).message)
  }

  /** Cleans up after a connection: ends the sessions that cannot continue without this client. */
  disconnect(client: ClientInfo, { code, reason }: CloseInfo): void {
    const { clientId, clientType, transport, features } = client
    this.#logger.warn(`[WS] ${clientId} disconnected code=${code}, reason=${reason}`)
    this.#clients.removeClient(clientId, transport)
    if (!this.#clients.isOnline(clientId)) {
      this.#known.left(clientId)
      this.#sessions.delivery.gone(clientId)
    }
    const device = clientType === 'device'
    if (this.#sessions.stopping) return
    if (features.has('resume')) return this.#resumption.away(client)
    const { live } = this.#sessions
    const sessions = device ? live.onDevice(clientId) : live.ofConstellation(clientId)
    if (sessions.length > 0) {
      const who = device ? '📱 Device' : '🌟 Constellation'
      this.#logger.info(`[WS] ${who} ${clientId} disconnected, cancelling ${sessions.length} active session(s)`)
    }
    for (const sessionId of sessions.map(({ task }) => task.sessionId)) {
      try {
        this.#sessions.cancelTask(sessionId, device ? 'device_disconnected' : 'constellation_disconnected')
      } catch (error) {
        this.#logger.error(`Error cancelling session ${sessionId}: ${messageOf(error)}`)
      }
    }
    this.#logger.info(`[WS] ${clientId} disconnected`)
  }
}

/** What a device pushes is kept for as long as it is known, so it is bounded. @throws AipError `MESSAGE_TOO_LARGE` */
function assertFits(value: unknown, limit: number): void {
  if (JSON.stringify(value).length > limit) throw aipError('MESSAGE_TOO_LARGE', { limit })
}
