import {
  AIPProtocol,
  DeviceInfoProtocol,
  HeartbeatProtocol,
  aipError,
  logError,
  messageOf,
  type TaskExecutionProtocol,
  type Clock,
  type ClientMessage,
  type ClientMessageType,
  type CloseInfo,
  type Logger,
  type SilenceWatch,
  type Transport,
} from '@orrery/aip'
import { LargeResults } from '@orrery/aip/node'
import type { WebSocket } from 'ws'
import type { ClientConnectionManager, ClientInfo } from '../clients/client-connection-manager.js'
import { OPERATOR } from '../identity/principal.js'
import type { SessionManager } from '../sessions/session-manager.js'
import { ClientLog } from './client-log.js'
import { DeviceInformation } from './device-information.js'
import { handlerParts, type HandlerOptions, type HandlerParts } from './handler-parts.js'
import { checkIdentity, isExpected } from './message-checks.js'
import { MessageRate } from './message-rate.js'
import { isLocal, transportOf } from './mounted-socket.js'
import { answerRefused } from './refused-message.js'
import { Registration } from './registration.js'
import { Resumption } from './resumption.js'
import { SessionNotices } from './session-notices.js'
import { taskFrom } from './task-intake.js'
import { TaskLine } from './task-line.js'
import { watchSilence } from './watch-silence.js'

/** One registered connection: its pinned identity and its protocols. */
interface ConnectionContext {
  readonly client: ClientInfo
  readonly aip: AIPProtocol<'server'>
  readonly heartbeat: HeartbeatProtocol
  readonly deviceInfo: DeviceInfoProtocol
  readonly task: TaskExecutionProtocol
  readonly line: TaskLine
  readonly rate: MessageRate
  readonly log: ClientLog
}

/** A handler for each type of message; a type without one does not compile. */
type Handlers = {
  [T in ClientMessageType]: (message: Extract<ClientMessage, { type: T }>, context: ConnectionContext) => void | Promise<void>
}

/** The server's end of every connection: registration, dispatch of messages, clean-up. */
export class UFOWebSocketHandler {
  readonly #parts: HandlerParts
  readonly #clients: ClientConnectionManager
  readonly #sessions: SessionManager
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #resumption: Resumption
  readonly #information: DeviceInformation
  readonly #notices: SessionNotices
  readonly #largeResults = new LargeResults()
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

  constructor(options: HandlerOptions) {
    const parts = handlerParts(options)
    this.#parts = parts
    this.#clients = parts.clientManager
    this.#sessions = parts.sessionManager
    this.#logger = parts.logger
    this.#clock = parts.clock
    this.#resumption = new Resumption(this.#sessions, this.#logger)
    this.#information = new DeviceInformation(parts)
    this.#notices = new SessionNotices(this.#clients, this.#sessions, this.#logger)
  }

  /**
   * Serves one connection until it closes. Never throws.
   * @param socket a connection, or an open WebSocket of a server of one's own, which the handler owns from now on
   * @param shown the principal whose key the handshake carried; default: one that may register as anything, because the program that
   * accepts the WebSocket decides whom to let in
   * @param registered called once the client is registered
   */
  async handler(socket: Transport | WebSocket, shown = OPERATOR, registered: () => void = () => {}): Promise<void> {
    const { dialect, rules, overlays, tokens, resumeSilenceMs: silenceMs, features, local } = this.#parts
    const transport = transportOf(socket, this.#clock)
    if (local && !isLocal(socket)) return transport.close(1008, 'only connections from this machine are accepted')
    const log = new ClientLog(this.#logger, this.#clock)
    let isDevice = false
    const largeReader = this.#largeResults.readerIf(() => isDevice)
    const options = { side: 'server', clock: this.#clock, logger: log, dialect, largeReader } as const
    const aip = new AIPProtocol(transport, options)
    const client = await new Registration(aip, {
      clients: this.#clients,
      known: this.#clients.known,
      logger: log,
      rules,
      overlays,
      tokens,
      resumption: this.#resumption,
      silenceMs,
      features,
      lost: (lost) => this.disconnect(lost, { code: 1006, reason: 'lost before its registration was confirmed' }),
    }).accept(shown)
    if (client === null) return
    registered()
    isDevice = client.clientType === 'device'
    this.#resumption.back(client)
    if (client.clientType === 'constellation') this.#notices.back(client)
    const rate = new MessageRate(this.#clock, this.#parts.messageRate, () => {
      log.warn(`[WS] ${client.clientId} sends too many messages`)
      transport.refuse(1008, 'rate limit')
    })
    const context: ConnectionContext = {
      client,
      aip,
      rate,
      log,
      heartbeat: new HeartbeatProtocol(aip),
      deviceInfo: new DeviceInfoProtocol(aip),
      task: client.taskProtocol,
      line: new TaskLine(client.clientId),
    }
    // Returned, not awaited: a function that waits for as long as the connection lasts would keep all that it has in memory.
    return this.#serve(context)
  }

  /** Handles the messages of a registered client until its connection ends. Never rejects. */
  #serve(context: ConnectionContext): Promise<void> {
    const { client, rate } = context
    const watch = watchSilence(client, this.#parts.heartbeatTimeoutMs, this.#clock, this.#logger)
    // Messages are handled in order, and none waits for the work that an earlier one started.
    const deliver = (frame: string | Uint8Array): void => {
      watch?.heard()
      rate.handles(this.handleMessage(frame, context))
    }
    return client.transport
      .deliverTo(deliver, rate)
      .catch((error: unknown) => logError(this.#logger, `[WS] Error with client ${client.clientId}`, error))
      .then(() => this.#ended(context, watch))
  }

  async #ended({ client, rate, log }: ConnectionContext, watch: SilenceWatch | null): Promise<void> {
    const { transport } = client
    // Results that came before the end count.
    await rate.settled()
    watch?.stop()
    rate.stop()
    log.end()
    // Unless the connection itself has ended, it is still open.
    if (transport.state !== 'disconnected') transport.terminate()
    this.disconnect(client, await transport.closed)
  }

  /** Lets go of what is shared by all connections. */
  close(): Promise<void> {
    return this.#largeResults.close()
  }

  /**
   * Decodes and handles one frame. Whatever goes wrong, the sender gets an error and the connection stays.
   * @returns settles when the message is handled, and never rejects; undefined if it is handled already, which saves a promise
   */
  handleMessage(frame: string | Uint8Array, context: ConnectionContext): Promise<void> | undefined {
    let message: ClientMessage | null = null
    try {
      const read = context.aip.readMessage(frame)
      if (read instanceof Promise) {
        context.rate.hold()
        return this.#handleRead(read, context)
      }
      message = read
      const handling = this.#handle(message, context)
      return handling?.catch((error: unknown) => answerRefused(message, error, context))
    } catch (error) {
      return answerRefused(message, error, context)
    }
  }

  async #handleRead(read: Promise<ClientMessage>, context: ConnectionContext): Promise<void> {
    let message: ClientMessage | null = null
    try {
      message = await read
      await this.#handle(message, context)
    } catch (error) {
      await answerRefused(message, error, context)
    }
  }

  #handle(message: ClientMessage, context: ConnectionContext): Promise<void> | undefined {
    const { client, rate } = context
    checkIdentity(message, client)
    if (isExpected(message, client, this.#sessions.live)) rate.expected()
    if (client.clientType === 'device') {
      this.#logger.debug(`[WS] 📱 Received device message from ${client.clientId}, type: ${message.type}`)
    }
    const handle = this.#handlers[message.type] as (message: ClientMessage, context: ConnectionContext) => void | Promise<void>
    return handle(message, context) ?? undefined
  }

  /** Accepts a task of this client, after its earlier ones: records it, acknowledges it, then runs it. */
  async handleTaskRequest(message: Extract<ClientMessage, { type: 'task' }>, context: ConnectionContext): Promise<void> {
    const { client, task, line, log } = context
    const { tasks } = this.#parts.fleet
    const { acknowledged } = await line.next(async () => {
      const asked = taskFrom(message, client, this.#clients, (request) => tasks.workOf(request))
      // In the dialect of the documents a device is assigned the task, and starts it itself (seed 004: TASK, then TASK_ASSIGNMENT).
      const wanted = { ...asked, assigned: this.#parts.dialect === 'documented' && client.clientType === 'constellation' }
      if (client.clientType === 'constellation') {
        log.info(`[WS] 🌟 Constellation ${client.clientId} requesting task on ${wanted.deviceId}`)
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

  handleHeartbeat({ client, heartbeat }: ConnectionContext): void {
    this.#logger.debug(`[WS] [AIP] Heartbeat from ${client.clientId}`)
    void heartbeat.sendHeartbeatAck().then(
      () => this.#logger.debug(`[WS] [AIP] Heartbeat response sent to ${client.clientId}`),
      (error: unknown) => this.#logger.debug(`[WS] [AIP] Could not send heartbeat ack: ${messageOf(error)}`),
    )
  }

  /** Logs a client's error and sends it back, as existing peers expect. */
  handleError({ error }: Extract<ClientMessage, { type: 'error' }>, { client, aip, log }: ConnectionContext): Promise<void> {
    const { message } = aipError('REPORTED_BY_PEER', { text: error ?? 'Unknown error' })
    log.error(`[WS] Error from ${client.clientId}: ${message}`)
    return aip.sendError(message)
  }

  /** Answers with what is known about a device, which is asked if it can answer and has told nothing for a while. */
  handleDeviceInfoRequest(
    message: Extract<ClientMessage, { type: 'device_info_request' }>,
    { client, deviceInfo, log }: ConnectionContext,
  ): Promise<void> {
    return this.#information.answer(message, client, deviceInfo, log)
  }

  /** Keeps what a device reports about itself and its MCP servers. */
  handleDeviceInfoResponse(
    { metadata }: Extract<ClientMessage, { type: 'device_info_response' }>,
    { client }: ConnectionContext,
  ): void {
    if (client.clientType === 'device' && metadata !== null) this.#information.keep(metadata, client)
  }

  handleProgress(
    { session_id: sessionId, call_id, progress, total, message }: Extract<ClientMessage, { type: 'progress' }>,
    { client }: ConnectionContext,
  ): void {
    const session = sessionId === null ? undefined : this.#sessions.live.get(sessionId)
    if (session?.task.deviceId !== client.clientId) return
    const tool = session.dispatcher.toolOf(call_id)
    if (tool !== undefined)
      session.log.report({ call_id, tool, progress, total, message: session.dispatcher.secrets.masked(message) })
  }

  /** Takes a device's question whether a call may run. */
  async handleAsk(message: Extract<ClientMessage, { type: 'ask' }>, context: ConnectionContext): Promise<void> {
    const { clientId, features } = context.client
    if (!features.has('ask')) return this.handleUnknown(message, context)
    await this.#parts.asks.asked(clientId, message)
  }

  /** Notes that a client with the feature resume has received the end of a task. */
  async handleTaskEnd(message: Extract<ClientMessage, { type: 'task_end' }>, context: ConnectionContext): Promise<void> {
    const { clientId, features } = context.client
    if (!features.has('resume')) return this.handleUnknown(message, context)
    if (message.session_id !== null) await this.#sessions.delivery.acknowledged(clientId, message.session_id)
  }

  /** Refuses a type that this client may not send now. */
  handleUnknown({ type }: ClientMessage, { client, aip, log }: ConnectionContext): Promise<void> {
    log.warn(`[WS] Unknown message type from ${client.clientId}: ${type}`)
    return aip.sendError(aipError('UNKNOWN_MESSAGE_TYPE', { type: `ClientMessageType.${type.toUpperCase()}` }).message)
  }

  /** Cleans up after a connection: ends the sessions that cannot continue without this client. */
  disconnect(client: ClientInfo, { code, reason }: CloseInfo): void {
    const { clientId, clientType, transport, features } = client
    this.#logger.warn(`[WS] ${clientId} disconnected code=${code}, reason=${reason}`)
    this.#clients.removeClient(clientId, transport)
    if (!this.#clients.isOnline(clientId)) {
      this.#clients.known.left(clientId)
      this.#sessions.delivery.gone(clientId)
    }
    const device = clientType === 'device'
    if (this.#sessions.state !== 'open') return
    const { live } = this.#sessions
    const sessions = device ? live.onDevice(clientId) : live.ofConstellation(clientId)
    const returns = features.has('resume')
    if (sessions.length > 0) {
      const who = device ? '📱 Device' : '🌟 Constellation'
      const fate = returns ? 'awaiting its return for' : 'cancelling'
      this.#logger.info(`[WS] ${who} ${clientId} disconnected, ${fate} ${sessions.length} active session(s)`)
    }
    if (returns) {
      this.#resumption.away(client)
      this.#logger.info(`[WS] ${clientId} disconnected`)
      return
    }
    for (const sessionId of sessions.map(({ task }) => task.sessionId)) {
      try {
        this.#sessions.cancelTask(sessionId, device ? 'device_disconnected' : 'constellation_disconnected')
      } catch (error) {
        logError(this.#logger, `Error cancelling session ${sessionId}`, error)
      }
    }
    this.#logger.info(`[WS] ${clientId} disconnected`)
  }
}
