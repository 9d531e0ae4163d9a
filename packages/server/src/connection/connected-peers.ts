import { AipError, logError, silentLogger, startOf, type Command, type Logger } from '@orrery/aip'
import type { ClientConnectionManager, ClientInfo } from '../clients/client-connection-manager.js'
import { DeviceOverlays } from '../config/device-overlays.js'
import type { DevicePeer, EndListener, Peers, TaskEnd } from '../sessions/peers.js'
import { SERVER_LIMITS } from '../limits.js'
import { wireEnd } from './wire-result.js'

/** Lets sessions reach the clients that are online. */
export class ConnectedPeers implements Peers {
  readonly #clients: ClientConnectionManager
  readonly #overlays: DeviceOverlays
  readonly #logger: Logger

  /** @param overlays what the server adds to its devices; default: nothing */
  constructor(clients: ClientConnectionManager, overlays = DeviceOverlays.load(undefined), logger: Logger = silentLogger) {
    this.#clients = clients
    this.#overlays = overlays
    this.#logger = logger
  }

  device(id: string): DevicePeer | undefined {
    const client = this.#clients.getClientInfo(id)
    if (client?.clientType !== 'device') return undefined
    const { platform, features, taskProtocol, transport } = client
    return {
      deviceId: id,
      connection: transport,
      platform,
      features,
      sendCommands: (batch) => {
        const typed = features.size > 0 ? batch.actions : batch.actions.map(withToolType)
        const actions = typed.map((action) => this.#overlays.complete(id, action))
        const asker = features.size > 0 ? batch.asker : undefined
        return taskProtocol.sendCommands({
          ...batch,
          actions,
          asker,
          concurrent: batch.concurrent && features.has('concurrent'),
        })
      },
      sendTaskAssignment: (task) => taskProtocol.sendTaskAssignment(task),
      sendCancel: (target) => taskProtocol.sendCancel(target),
      sendAnswer: (answer) => taskProtocol.sendAnswer(answer),
    }
  }

  client(id: string): EndListener | undefined {
    const client = this.#clients.getClientInfo(id)
    return client && { sendEnd: (end) => this.#sendEnd(client, end) }
  }

  canResume(id: string): boolean {
    const features = this.#clients.known.get(id)?.features
    return features?.includes('resume') === true && features.includes('journal')
  }

  addedArguments(deviceId: string, toolName: string): readonly string[] {
    return this.#overlays.addedArguments(deviceId, toolName)
  }

  // The frame leaves before the first await, so that it precedes whatever is sent to this client later.
  async #sendEnd(client: ClientInfo, end: TaskEnd): Promise<void> {
    const { sessionId } = end
    if (client.transport.state !== 'connected') {
      this.#logger.debug(`[WS] Cannot send result, connection closed for ${sessionId}`)
      return
    }
    const { taskProtocol, features, unacknowledged } = client
    if (features.has('resume')) unacknowledged.add(sessionId)
    const message = { ...wireEnd(end), responseId: end.responseId }
    try {
      await taskProtocol.sendTaskEnd(message).catch((error: unknown) => {
        if (!(error instanceof AipError) || error.code !== 'MESSAGE_TOO_LARGE') throw error
        // An end without its result is still an end: a device is free again, and a requester stops waiting.
        const text =
          message.error === null || message.error === undefined ? error.message : startOf(message.error, SERVER_LIMITS.cutError)
        return taskProtocol.sendTaskEnd({ ...message, result: null, error: text })
      })
    } catch (error) {
      logError(this.#logger, `[WS] ❌ Failed to send result for ${sessionId}`, error)
    }
  }
}

/** Existing devices refuse a command without a tool type; Orrery's own look for an action tool first. */
function withToolType(command: Command): Command {
  return command.tool_type === null ? { ...command, tool_type: 'action' } : command
}
