import { isoTime, type PushedTool } from '@orrery/aip'
import type { Device } from '@orrery/aip/api'
import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import type { KnownDevices } from '../clients/known-devices.js'
import type { ResumeTokens } from '../clients/resume-tokens.js'
import { requireRight, type Principal } from '../identity/principal.js'
import type { SessionManager } from '../sessions/session-manager.js'
import type { DeviceToolLists } from '../sessions/device-tool-lists.js'
import type { KnownDevice } from '../store/client-store.js'
import type { Feed } from '../store/feed.js'
import { serverError } from '../errors.js'

/** What {@link FleetDevices} work on. */
export interface FleetDevicesParts {
  clients: ClientConnectionManager
  known: KnownDevices
  tokens: ResumeTokens
  toolLists: DeviceToolLists
  sessions: SessionManager
  feed: Feed
}

/** The tools of a device, and when it listed them. */
export interface ListedTools {
  tools: PushedTool[]
  /** ISO-8601; null if it never did. */
  listed_at: string | null
}

/** The devices that are or were online, and their tools. */
export class FleetDevices {
  readonly #clients: ClientConnectionManager
  readonly #known: KnownDevices
  readonly #tokens: ResumeTokens
  readonly #toolLists: DeviceToolLists
  readonly #sessions: SessionManager
  readonly #feed: Feed

  constructor({ clients, known, tokens, toolLists, sessions, feed }: FleetDevicesParts) {
    this.#clients = clients
    this.#known = known
    this.#tokens = tokens
    this.#toolLists = toolLists
    this.#sessions = sessions
    this.#feed = feed
  }

  /** Lists all devices in the order in which they were first seen. */
  list(principal: Principal): { devices: Device[]; position: string } {
    requireRight(principal, 'read')
    return { devices: this.#known.list().map((known) => this.#describe(known)), position: this.#feed.position() }
  }

  /** @throws AipError `DEVICE_NOT_FOUND` */
  get(principal: Principal, deviceId: string): Device {
    const device = this.find(principal, deviceId)
    if (device === undefined) throw serverError('DEVICE_NOT_FOUND', { id: deviceId })
    return device
  }

  /** Returns a device; undefined if it is not known. */
  find(principal: Principal, deviceId: string): Device | undefined {
    requireRight(principal, 'read')
    const known = this.#known.get(deviceId)
    return known && this.#describe(known)
  }

  /** @throws AipError `DEVICE_NOT_FOUND` or `DEVICE_OFFLINE` */
  requireOnline(principal: Principal, deviceId: string): void {
    if (this.get(principal, deviceId).status === 'offline') throw serverError('DEVICE_OFFLINE', { id: deviceId })
  }

  /**
   * Forgets a device and frees its id: the next device that registers under it may have it. Its sessions end and its connection is closed.
   * @throws AipError `DEVICE_NOT_FOUND` or `STORE_FAILED`
   */
  async forget(principal: Principal, deviceId: string): Promise<{ device_id: string; forgotten: true }> {
    requireRight(principal, 'admin')
    const known = this.#known.get(deviceId) !== undefined
    const held = await this.#tokens.forget(deviceId)
    if (!known && !held) throw serverError('DEVICE_NOT_FOUND', { id: deviceId })
    this.#sessions.lanes.giveUp(deviceId)
    const client = this.#clients.getClientInfo(deviceId)
    if (client?.clientType === 'device') {
      this.#clients.removeClient(deviceId, client.transport)
      client.transport.close(1008, 'the device was forgotten').catch(() => {})
    }
    await this.#known.forget(deviceId)
    return { device_id: deviceId, forgotten: true }
  }

  /** Returns what is known about a device that is online, at least its id and platform; null if it is not online. */
  known(principal: Principal, deviceId: string): Record<string, unknown> | null {
    requireRight(principal, 'read')
    const client = this.#clients.getClientInfo(deviceId)
    if (client?.clientType !== 'device') return null
    return { device_id: deviceId, platform: client.platform, ...client.systemInfo }
  }

  /**
   * Returns the tools of a device as it last listed them. A device that lists them only on request is asked, if it is online, idle and was not
   * yet asked on this connection.
   * @throws AipError `DEVICE_NOT_FOUND`, or `AGENT_FAILED` if it never listed them and does not when asked
   */
  async tools(principal: Principal, deviceId: string): Promise<ListedTools> {
    this.get(principal, deviceId)
    const client = this.#clients.getClientInfo(deviceId)
    const known = await this.#known.tools(deviceId)
    const isOld = client?.clientType === 'device' && (known === null || known.listedAt < client.connectedAt)
    if (isOld && this.#sessions.lanes.get(deviceId) === undefined) {
      const listed = await this.#toolLists.wanted(deviceId)
      if (listed !== null) return { tools: [...listed], listed_at: isoTime((await this.#known.tools(deviceId))?.listedAt ?? 0) }
      if (known === null) throw serverError('AGENT_FAILED', { text: 'the device did not list its tools' })
    }
    if (known === null) return { tools: [], listed_at: null }
    return { tools: [...known.tools], listed_at: isoTime(known.listedAt) }
  }

  #describe({ clientId, platform, systemInfo, features, lastSeenAt }: KnownDevice): Device {
    const client = this.#clients.getClientInfo(clientId)
    const online = client?.clientType === 'device'
    const running = online ? this.#sessions.lanes.get(clientId)?.running : undefined
    return {
      device_id: clientId,
      status: !online ? 'offline' : running ? 'busy' : 'online',
      platform,
      system_info: systemInfo,
      features: [...features],
      connected_at: online ? isoTime(client.connectedAt) : null,
      last_seen_at: isoTime(lastSeenAt),
      current_session_id: running?.task.sessionId ?? null,
      mcp_servers: online && client.mcpServers !== null ? [...client.mcpServers] : null,
    }
  }
}
