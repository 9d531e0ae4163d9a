import { aipError, systemClock, type Clock } from '@orrery/aip'
import type { DeviceConfig } from '../config/device-config.js'
import { MCPServerManager } from '../mcp/mcp-server-manager.js'
import type { Gate } from '../policy/gate.js'
import { Computer } from './computer.js'
import { required } from './required.js'

/** Whom a batch is for; it chooses the computer. */
export interface Addressee {
  agentName: string | null
  processName: string | null
  rootName: string | null
}

const NOT_A_MANAGER = 'mcpServerManager must be an MCPServerManager.'

/** What of a device's configuration says which servers an agent sees. */
type ToolSets = Pick<DeviceConfig, 'agents'>

/** Makes the computers of a device, one for each agent, process and root. */
export class ComputerManager {
  readonly #servers: MCPServerManager
  readonly #clock: Clock
  readonly #gate: Gate | null
  readonly #computers = new Map<string, Computer>()
  #config: ToolSets

  /**
   * @param config of the device
   * @param options.gate what every call passes; default: everything is let through
   * @throws AipError `INVALID_INPUT` without a configuration or a server manager
   */
  constructor(config: ToolSets, mcpServerManager: MCPServerManager, options: { clock?: Clock; gate?: Gate } = {}) {
    this.#config = required('config', config)
    this.#servers = required('mcpServerManager', mcpServerManager)
    if (!(mcpServerManager instanceof MCPServerManager)) throw aipError('INVALID_INPUT', { detail: NOT_A_MANAGER })
    this.#clock = options.clock ?? systemClock
    this.#gate = options.gate ?? null
  }

  /** Number of computers that exist now. */
  get size(): number {
    return this.#computers.size
  }

  /** The computer of `agent::process::root`. An agent that is not configured sees the device's default set. */
  getOrCreate({ agentName, processName, rootName }: Addressee): Computer {
    // The names that existing peers print for what is not given (client reference, chapter 5).
    const key = [agentName ?? 'None', processName ?? 'None', rootName || 'default'].join('::')
    const known = this.#computers.get(key)
    if (known !== undefined) return known
    const servers = this.#servers.serversFor(agentName ?? '', rootName || 'default', this.#config.agents)
    const computer = new Computer(key, servers, this.#clock, this.#gate)
    this.#computers.set(key, computer)
    return computer
  }

  /** Applies another configuration, and forgets all computers. */
  update(config: ToolSets): void {
    this.#config = config
    this.reset()
  }

  /** Forgets all computers. Their servers stay. */
  reset(): void {
    this.#computers.clear()
  }
}
