import { messageOf, type Logger, type TaskExecutionProtocol } from '@orrery/aip'
import type { ClientInfo } from '../clients/client-connection-manager.js'
import type { SessionManager } from '../sessions/session-manager.js'
import type { Task } from '../sessions/task.js'
import { wireEnd } from './wire-result.js'

/** The sessions that go on with a client, as its registration is answered: one of a device, or all of a constellation. */
export type Continuing = { session_id: string | null } | { session_ids: string[] }

/** Clients with the feature resume that drop and come back: what waits for them, and what they are still to be told. */
export class Resumption {
  readonly #sessions: SessionManager
  readonly #logger: Logger

  constructor(sessions: SessionManager, logger: Logger) {
    this.#sessions = sessions
    this.#logger = logger
  }

  /** Whether nothing can go on here any more: the server has let go of its sessions and is about to close. */
  get isOver(): boolean {
    return this.#sessions.drained
  }

  /** What goes on with a client that registers now. */
  continuing({ clientId, clientType, trusted }: ClientInfo): Continuing {
    if (clientType === 'device') return { session_id: trusted ? this.#sessions.continuing(clientId) : null }
    if (!trusted) return { session_ids: [] }
    const ended = this.#sessions.awaitedEnds.of(clientId).map(({ sessionId }) => sessionId)
    return { session_ids: [...this.#sessions.sessionsOf(clientId), ...ended] }
  }

  /** A client has registered: its sessions go on, and a constellation is told what ended while it was away. Never throws. */
  async back({ clientId, clientType, features, trusted, taskProtocol }: ClientInfo): Promise<void> {
    if (clientType === 'device') return this.#sessions.deviceBack(clientId, trusted)
    this.#sessions.requesterBack(clientId, trusted)
    if (!features.has('resume') || !trusted) return
    try {
      for (const end of this.#sessions.awaitedEnds.of(clientId)) {
        await taskProtocol.sendTaskEnd({ ...wireEnd(end), responseId: crypto.randomUUID() })
      }
    } catch (error) {
      this.#logger.debug(`[WS] ${clientId} was not told all that ended: ${messageOf(error)}`)
    }
  }

  /** A client with the feature resume has dropped. */
  away({ clientId, clientType }: ClientInfo): void {
    if (clientType === 'device') this.#sessions.deviceAway(clientId)
    else this.#sessions.requesterAway(clientId)
  }

  /** Answers a task that its requester sends again after it has ended. @returns whether it was one */
  async answerRepeated(wanted: Task, task: TaskExecutionProtocol): Promise<boolean> {
    const end = this.#sessions.awaitedEnds.ofRepeated(wanted)
    if (end === undefined) return false
    await task.sendAck(end.sessionId)
    await task.sendTaskEnd({ ...wireEnd(end), responseId: crypto.randomUUID() })
    return true
  }

  /** A client says that it knows how a session ended. Settles once that is recorded. */
  acknowledged(clientId: string, sessionId: string): Promise<void> {
    return this.#sessions.awaitedEnds.acknowledged(clientId, sessionId)
  }
}
