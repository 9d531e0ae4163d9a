import { messageOf, type Logger } from '@orrery/aip'
import type { SessionEvent } from '@orrery/aip/api'
import type { ClientConnectionManager, ClientInfo } from '../clients/client-connection-manager.js'
import { serverErrorText } from '../errors.js'
import type { SessionManager } from '../sessions/session-manager.js'
import type { Task } from '../sessions/task.js'

/**
 * Tells constellations with the feature progress at once that a session of theirs is paused or continues, so that they can choose another
 * device instead of waiting for this one (seed 004: "Notify orchestrator to reassign task").
 */
export class SessionNotices {
  readonly #clients: ClientConnectionManager
  readonly #sessions: SessionManager
  readonly #logger: Logger

  constructor(clients: ClientConnectionManager, sessions: SessionManager, logger: Logger) {
    this.#clients = clients
    this.#sessions = sessions
    this.#logger = logger
    sessions.environment.feed.onEvent((event, runId) => this.#happened(event, runId))
  }

  /** Tells a constellation that has registered which of its sessions are paused. */
  back({ clientId }: ClientInfo): void {
    for (const { log, task } of this.#sessions.live.ofConstellation(clientId)) {
      if (log.view.status === 'paused') this.#tell(task, 'paused')
    }
  }

  #happened({ type }: SessionEvent, runId: string): void {
    if (type !== 'paused' && type !== 'resumed') return
    const task = this.#sessions.live.ofRun(runId)?.task
    if (task?.owner.kind === 'constellation') this.#tell(task, type === 'paused' ? 'paused' : 'running')
  }

  #tell({ owner, sessionId, deviceId }: Task, state: 'paused' | 'running'): void {
    const client = owner.client_id === null ? undefined : this.#clients.getClientInfo(owner.client_id)
    if (client?.features.has('progress') !== true) return
    const error = state === 'paused' ? serverErrorText('DEVICE_OFFLINE', { id: deviceId }) : null
    client.taskProtocol
      .sendSessionState({ sessionId, state, error })
      .catch((failure: unknown) =>
        this.#logger.debug(`[WS] ${client.clientId} did not hear of ${sessionId}: ${messageOf(failure)}`),
      )
  }
}
