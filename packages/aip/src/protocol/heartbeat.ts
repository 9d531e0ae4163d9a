import type { Timer } from '../clock.js'
import { messageOf } from '../define-errors.js'
import { heartbeat } from '../messages/to-server.js'
import { heartbeatAck } from '../messages/to-client.js'
import type { ClientType } from '../messages/values.js'
import { ProtocolPart } from './aip-protocol.js'

/** Heartbeats show that the peer is alive. */
export class HeartbeatProtocol extends ProtocolPart {
  #timer: Timer | null = null

  sendHeartbeat(
    clientId: string,
    clientType: ClientType = 'device',
    metadata: Record<string, unknown> | null = null,
  ): Promise<void> {
    return this.aip.sendMessage(heartbeat, { client_id: clientId, client_type: clientType, metadata })
  }

  sendHeartbeatAck(responseId?: string): Promise<void> {
    return this.aip.sendMessage(heartbeatAck, responseId === undefined ? {} : { response_id: responseId })
  }

  /** Sends heartbeats until {@link stopHeartbeat} or until one cannot be sent. @param intervalS seconds; the first goes after one interval */
  startHeartbeat(clientId: string, intervalS = 30, clientType: ClientType = 'device'): void {
    this.stopHeartbeat()
    const timer = this.aip.clock.after(intervalS * 1000, () => {
      this.sendHeartbeat(clientId, clientType).then(
        () => {
          // Stopped or restarted while this one was on its way.
          if (this.#timer === timer) this.startHeartbeat(clientId, intervalS, clientType)
        },
        (error: unknown) => this.aip.logger.debug(`Heartbeat failed: ${messageOf(error)}`),
      )
    })
    this.#timer = timer
  }

  stopHeartbeat(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}
