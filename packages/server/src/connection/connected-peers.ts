import { messageOf, type Command, type Logger } from '@orrery/aip'
import type { ClientConnectionManager, ClientInfo } from '../clients/client-connection-manager.js'
import type { DeviceOverlays } from '../config/device-overlays.js'
import type { DevicePeer, Peers, TaskEnd } from '../sessions/peers.js'
import type { Task } from '../sessions/task.js'
import { wireEnd } from './wire-result.js'

/** Lets sessions reach the clients that are online. */
export class ConnectedPeers implements Peers {
  readonly #clients: ClientConnectionManager
  readonly #overlays: DeviceOverlays
  readonly #logger: Logger

  constructor(clients: ClientConnectionManager, overlays: DeviceOverlays, logger: Logger) {
    this.#overlays = overlays
    this.#clients = clients
    this.#logger = logger
  }

  device(id: string): DevicePeer | undefined {
    const client = this.#clients.getClientInfo(id)
    if (client?.clientType !== 'device') return undefined
    const { platform, features, taskProtocol } = client
    return {
      deviceId: id,
      platform,
      features,
      sendCommands: (batch) => {
        const typed = features.size > 0 ? batch.actions : batch.actions.map(withToolType)
        return taskProtocol.sendCommands({ ...batch, actions: typed.map((action) => this.#overlays.complete(id, action)) })
      },
      sendTaskAssignment: (task) => taskProtocol.sendTaskAssignment(task),
      sendCancel: (target) => taskProtocol.sendCancel(target),
      sendAnswer: (answer) => taskProtocol.sendAnswer(answer),
    }
  }

  canResume(id: string): boolean {
    const known = this.#clients.knownDevice(id)
    return known?.features.has('resume') === true && known.features.has('journal')
  }

  addedArguments(deviceId: string, toolName: string): readonly string[] {
    return this.#overlays.addedArguments(deviceId, toolName)
  }

  sessionOpened({ sessionId, deviceId, owner }: Task): void {
    this.#clients.addDeviceSession(deviceId, sessionId)
    if (owner.kind === 'constellation' && owner.client_id !== null)
      this.#clients.addConstellationSession(owner.client_id, sessionId)
  }

  /** The requester first, then the device (protocol reference 6.5), with the same response id. */
  async taskEnded(end: TaskEnd): Promise<void> {
    const { sessionId, deviceId, owner } = end
    this.#clients.removeDeviceSession(deviceId, sessionId)
    if (owner.client_id !== null) this.#clients.removeConstellationSession(owner.client_id, sessionId)
    const responseId = crypto.randomUUID()
    const requester = owner.kind === 'constellation' && end.tellRequester ? owner.client_id : null
    for (const id of [requester, end.tellDevice ? deviceId : null]) {
      const client = id === null ? undefined : this.#clients.getClientInfo(id)
      if (client !== undefined) await this.#sendEnd(client, end, responseId)
    }
  }

  async #sendEnd(client: ClientInfo, end: TaskEnd, responseId: string): Promise<void> {
    const { sessionId, deviceId, resultForDevice } = end
    if (client.transport.state !== 'connected') {
      this.#logger.debug(`[WS] Cannot send result, connection closed for ${sessionId}`)
      return
    }
    try {
      await client.taskProtocol.sendTaskEnd({ ...wireEnd(end, client.clientId !== deviceId || resultForDevice), responseId })
    } catch (error) {
      this.#logger.error(`[WS] ❌ Failed to send result for ${sessionId}: ${messageOf(error)}`)
    }
  }
}

/** Existing devices refuse a command without a tool type; Orrery's own look an action tool up first. */
function withToolType(command: Command): Command {
  return command.tool_type === null ? { ...command, tool_type: 'action' } : command
}
