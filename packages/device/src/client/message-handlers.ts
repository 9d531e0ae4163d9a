import { logError, type Logger, type ServerMessage } from '@orrery/aip'
import { receiveAll, type ServerConnection } from '@orrery/aip/node'
import type { DeviceSessions } from './device-sessions.js'
import type { DeviceTerminals } from '../terminals/device-terminals.js'
import { logText } from './log-text.js'

/** What a device does with the messages of its server (seed 000, "Message Handlers"). */
export abstract class MessageHandlers {
  protected abstract readonly sessions: DeviceSessions
  protected abstract readonly terminals: DeviceTerminals | null
  protected abstract readonly logger: Logger

  /** The connection that was made last; null before the first. */
  abstract get connection(): ServerConnection | null

  /** Answers a server that asks what this device is now. */
  protected abstract describe(connection: ServerConnection): Promise<void>

  /** Receives and handles messages until the connection ends. Never throws. */
  async receiveLoop(): Promise<void> {
    if (this.connection !== null) await receiveAll(this.connection.transport, (frame) => this.handleMessage(frame))
  }

  /** Handles one frame of the server. Never throws and never waits for a command or a task: those continue by themselves. */
  async handleMessage(frame: string | Uint8Array): Promise<void> {
    const { connection } = this
    if (connection === null) return
    try {
      const message = await connection.aip.readMessage(frame)
      this.logger.info(`[WS] Received message: ${logText(frame)}`)
      this.#route(message, connection)
    } catch (error) {
      logError(this.logger, '[WS] Error handling message', error)
    }
  }

  /**
   * Asks the server to run a task on this device. Settles when the request was sent; a failure is logged and reported to the server.
   * @param taskName default: a fresh UUID
   */
  startTask(request: string, taskName?: string | null): Promise<void> {
    return this.sessions.requests.start(request, taskName)
  }

  /** Runs the commands of a message and sends their results. Settles when they are sent. */
  async handleCommands(message: Extract<ServerMessage, { type: 'command' }>): Promise<void> {
    if (this.connection !== null) await this.sessions.runBatch(message, this.connection)
  }

  /** Logs how a task ended, and frees the device for the next one. */
  handleTaskEnd(message: Extract<ServerMessage, { type: 'task_end' }>): void {
    this.sessions.end(message)
  }

  #route(message: ServerMessage, connection: ServerConnection): void {
    const { sessions } = this
    switch (message.type) {
      case 'task':
        return sessions.inBackground(this.startTask(message.user_request ?? '', message.task_name))
      case 'command':
        return sessions.inBackground(this.handleCommands(message))
      case 'task_end':
        return this.handleTaskEnd(message)
      case 'cancel':
        return sessions.cancel(message)
      case 'results_ack':
        return sessions.inBackground(sessions.acknowledged(message.response_id))
      case 'heartbeat':
        if (message.session_id !== null) sessions.named(message.session_id)
        return this.logger.info('[WS] Heartbeat received')
      case 'error':
        sessions.refused()
        return this.logger.error(`[WS] Server error: ${logText(message.error)}`)
      case 'answer':
        return sessions.answered(message)
      case 'device_info_request':
        if (connection.features.has('info')) return sessions.inBackground(this.describe(connection))
        return this.logger.warn(`[WS] Unknown message type: ${message.type}`)
      case 'open_terminal':
        if (this.terminals !== null && connection.features.has('terminal'))
          return sessions.inBackground(this.terminals.open(message.terminal_id, message.requested_by, message.metadata))
        return this.logger.warn(`[WS] Unknown message type: ${message.type}`)
      case 'device_info_response':
      case 'progress':
        return this.logger.warn(`[WS] Unknown message type: ${message.type}`)
    }
  }
}
