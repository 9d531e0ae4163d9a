import { aipError, logError, messageOf, type Logger } from '@orrery/aip'
import type { UFOClient } from '../computer/ufo-client.js'
import { sessionPlatform } from '../info/device-info-provider.js'
import type { ServerConnection } from '@orrery/aip/node'
import { logText } from './log-text.js'
import type { SessionSlot } from './session-slot.js'
import { DEVICE_LIMITS } from '../limits.js'

/**
 * Asks the server for tasks on this device: one, until it has ended. Further tasks that an existing server assigns meanwhile wait here, because it
 * does not line them up itself (contradictions, C-38).
 */
export class TaskRequests {
  /** The request that was sent last; settles when it was sent. */
  current: Promise<void> | null = null
  readonly #client: UFOClient
  readonly #slot: SessionSlot
  readonly #logger: Logger
  readonly #connection: () => ServerConnection | null
  /** Tasks for when the device is free. */
  #waiting: { request: string; taskName: string | null }[] = []

  /** @param connection gives the one over which a request is sent, at that moment */
  constructor(client: UFOClient, slot: SessionSlot, logger: Logger, connection: () => ServerConnection | null) {
    this.#client = client
    this.#slot = slot
    this.#logger = logger
    this.#connection = connection
  }

  /**
   * Asks for a task unless a session has the device. Settles when the request was sent, or waits; never rejects.
   * @param taskName default: a fresh UUID
   */
  start(request: string, taskName: string | null = null): Promise<void> {
    if (this.#slot.taken) {
      this.#logger.warn(`[WS] Task ${this.#slot.sessionId} is still running, ignoring new task`)
      const isExisting = this.#connection()?.features.size === 0
      if (isExisting && this.#waiting.length < DEVICE_LIMITS.waitingTasks) this.#waiting.push({ request, taskName })
      return Promise.resolve()
    }
    if (this.#waiting.length > 0) {
      this.#waiting.push({ request, taskName })
      return this.next()
    }
    return this.#begin(request, taskName)
  }

  /** Asks for the task that waits longest, if the device is free and connected. Settles when the request was sent; never rejects. */
  next(): Promise<void> {
    if (this.#slot.taken || this.#connection() === null) return Promise.resolve()
    const next = this.#waiting.shift()
    return next === undefined ? Promise.resolve() : this.#begin(next.request, next.taskName)
  }

  /** Drops what waits. */
  clear(): void {
    this.#waiting = []
  }

  #begin(request: string, taskName: string | null): Promise<void> {
    this.#slot.take(null)
    this.#logger.info(`[WS] Starting task: ${logText(request)}`)
    this.current = this.#client.taskLock.run(() => this.#send(request, taskName ?? crypto.randomUUID()))
    return this.current
  }

  /** A failure frees the device, is logged and, where possible, reported to the server. */
  async #send(request: string, taskName: string): Promise<void> {
    const { clientId } = this.#client
    const platform = sessionPlatform(this.#client.platform)
    try {
      await this.#client.reset()
      const connection = this.#connection()
      if (connection === null) throw aipError('NOT_CONNECTED')
      await connection.tasks.sendTaskRequest({
        request,
        taskName,
        sessionId: this.#client.sessionId,
        clientId,
        metadata: platform === '' ? null : { platform },
      })
      this.#logger.info(`[WS] [AIP] Sent task request with platform: ${platform}`)
    } catch (error) {
      this.#slot.release()
      logError(this.#logger, '[WS] [AIP] Error sending task request', error)
      await this.#connection()
        ?.aip.sendError(messageOf(error))
        .catch(() => {})
    }
  }
}
