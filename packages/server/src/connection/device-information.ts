import { DeviceInfoProtocol, messageOf, readDevicePush, withTimeLimit, type ClientMessage, type Logger } from '@orrery/aip'
import type { ClientInfo } from '../clients/client-connection-manager.js'
import { serverError } from '../errors.js'
import { SERVER_LIMITS } from '../limits.js'
import type { HandlerParts } from './handler-parts.js'
import { assertFits } from './message-checks.js'

/** Whether, and when, a device has described itself on its current connection. */
interface Told {
  /** Milliseconds since the epoch; null if it has not. */
  at: number | null
  /** The next time that it does. */
  next: PromiseWithResolvers<void>
  /** Settles when the question that it was sent is over; null if it was not asked. */
  asked: Promise<void> | null
}

/** What devices say about themselves: keeps it, asks for it where it is old, and answers constellations with it. */
export class DeviceInformation {
  readonly #parts: HandlerParts
  readonly #told = new WeakMap<ClientInfo, Told>()

  constructor(parts: HandlerParts) {
    this.#parts = parts
  }

  /** Answers a question about a device. @throws AipError `INFO_FORBIDDEN` or `INFO_OUT_OF_SCOPE` */
  async answer(
    { target_id: target, request_id: requestId }: Extract<ClientMessage, { type: 'device_info_request' }>,
    client: ClientInfo,
    reply: DeviceInfoProtocol,
    log: Logger,
  ): Promise<void> {
    const { clientManager, fleet } = this.#parts
    if (client.clientType !== 'constellation') throw serverError('INFO_FORBIDDEN')
    if (client.scope !== null && target !== client.scope) throw serverError('INFO_OUT_OF_SCOPE')
    log.info(`[WS] Constellation ${client.clientId} requesting info for device ${target}`)
    const device = target === null ? undefined : clientManager.getClientInfo(target)
    if (device?.features.has('info') === true) await this.#refresh(device)
    const info = target === null ? null : fleet.devices.known(client.principal, target)
    await reply.sendDeviceInfoResponse(info ?? { error: serverError('DEVICE_OFFLINE', { id: target ?? '' }).message }, requestId)
  }

  /** Keeps what a device pushes about itself, its MCP servers and its tools. @throws AipError `MESSAGE_TOO_LARGE` */
  keep(metadata: Record<string, unknown>, client: ClientInfo): void {
    const { clientManager, overlays, clock } = this.#parts
    const { clientId } = client
    const { mcp_servers: servers, tools, info } = readDevicePush(metadata)
    if (info !== null) {
      // Values from the registration and the server's settings stay.
      const merged = { ...client.systemInfo, ...info }
      assertFits(merged, SERVER_LIMITS.deviceInfo)
      client.systemInfo = overlays.describe(clientId, merged)
    }
    if (servers !== null) client.mcpServers = servers
    if (tools !== null) clientManager.known.listed(clientId, tools)
    if (servers !== null || info !== null) clientManager.known.seen({ ...client, features: [...client.features] })
    if (info === null) return
    const told = this.#toldBy(client)
    told.at = clock.now()
    told.next.resolve()
  }

  /** Asks a device what it is now, unless it has said so recently. Never throws: without an answer, what is known remains. */
  async #refresh(device: ClientInfo): Promise<void> {
    const { clock } = this.#parts
    const told = this.#toldBy(device)
    if (told.at !== null && clock.now() - told.at <= SERVER_LIMITS.deviceInfoAge) return
    told.asked ??= this.#ask(device, told).finally(() => {
      told.asked = null
    })
    await told.asked
  }

  async #ask({ clientId, taskProtocol, transport }: ClientInfo, told: Told): Promise<void> {
    const { clock, logger } = this.#parts
    told.next = Promise.withResolvers()
    const limit = { clock, ms: SERVER_LIMITS.deviceInfoTime, operation: 'device_info_request' }
    try {
      await new DeviceInfoProtocol(taskProtocol.aip).sendDeviceInfoRequest()
      await withTimeLimit(Promise.race([told.next.promise, transport.closed]), limit)
    } catch (error) {
      logger.debug(`[WS] ${clientId} did not describe itself: ${messageOf(error)}`)
    }
  }

  #toldBy(client: ClientInfo): Told {
    const told = this.#told.get(client) ?? { at: null, next: Promise.withResolvers(), asked: null }
    this.#told.set(client, told)
    return told
  }
}
