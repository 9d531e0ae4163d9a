import { MCPToolInfo, aipError, isoTime } from '@orrery/aip'
import type { Device } from '@orrery/aip/api'
import { z } from 'zod'
import type { ClientConnectionManager, KnownDevice } from '../clients/client-connection-manager.js'
import type { SessionManager } from './session-manager.js'
import { operatorTask, type Task, type Work } from './task.js'

/** How long a device may take to list its tools, in milliseconds. */
const LIST_TIME = 30_000

/** The devices as the API shows them. */
export class DeviceDirectory {
  readonly #clients: ClientConnectionManager
  readonly #sessions: SessionManager
  /** The last tool list of each connection, for while the device is busy. */
  readonly #tools = new Map<string, { connectedAt: number; tools: MCPToolInfo[] }>()

  constructor(clients: ClientConnectionManager, sessions: SessionManager) {
    this.#clients = clients
    this.#sessions = sessions
  }

  list(): Device[] {
    return this.#clients.knownDevices().map((known) => this.#describe(known))
  }

  /** @throws AipError `DEVICE_NOT_FOUND` */
  get(deviceId: string): Device {
    const known = this.#clients.knownDevice(deviceId)
    if (known === undefined) throw aipError('DEVICE_NOT_FOUND', { id: deviceId })
    return this.#describe(known)
  }

  /** @throws AipError `DEVICE_NOT_FOUND` or `DEVICE_OFFLINE` */
  requireOnline(deviceId: string): void {
    if (this.get(deviceId).status === 'offline') throw aipError('DEVICE_OFFLINE', { id: deviceId })
  }

  /**
   * Asks a device for its tools, of both types. While a session runs there, the last answer is given if there is one.
   * @throws AipError `DEVICE_NOT_FOUND`, `DEVICE_OFFLINE` or `AGENT_FAILED`
   */
  async tools(deviceId: string): Promise<MCPToolInfo[]> {
    this.requireOnline(deviceId)
    const connectedAt = this.#clients.getClientInfo(deviceId)?.connectedAt ?? 0
    const last = this.#tools.get(deviceId)
    if (last?.connectedAt === connectedAt && this.#sessions.runningOn(deviceId) !== undefined) return last.tools
    const { session } = await this.#sessions.executeTask(listToolsTask(deviceId))
    this.#sessions.start(session)
    const { result, error } = await this.#sessions.ended(session)
    const lists = Array.isArray(result) ? z.array(z.object({ status: z.string(), result: z.unknown() })).parse(result) : []
    const listed = lists.filter((entry) => entry.status === 'success')
    if (listed.length === 0) throw aipError('AGENT_FAILED', { text: error ?? 'the device did not list its tools' })
    const tools = listed.flatMap((entry) => z.array(MCPToolInfo).parse(entry.result ?? []))
    this.#tools.set(deviceId, { connectedAt, tools })
    return tools
  }

  #describe({ clientId, platform, systemInfo, features }: KnownDevice): Device {
    const client = this.#clients.getClientInfo(clientId)
    const online = client?.clientType === 'device'
    const running = online ? this.#sessions.runningOn(clientId) : undefined
    return {
      device_id: clientId,
      status: !online ? 'offline' : running === undefined ? 'online' : 'busy',
      platform,
      system_info: systemInfo,
      features: [...features],
      connected_at: online ? isoTime(client.connectedAt) : null,
      current_session_id: running?.task.sessionId ?? null,
      mcp_servers: online && client.mcpServers !== null ? [...client.mcpServers] : null,
    }
  }
}

function listToolsTask(deviceId: string): Task {
  const list = (type: 'action' | 'data_collection') => ({
    tool_name: 'list_tools',
    parameters: { tool_type: type },
    tool_type: type,
    call_id: null,
  })
  // Not every device has data collection; the list of actions comes first, so that it is there even if the other fails.
  const work: Work = { kind: 'commands', commands: [list('action'), list('data_collection')], timeout_ms: LIST_TIME }
  return operatorTask(deviceId, work, { transient: true, taskName: 'list_tools' })
}
