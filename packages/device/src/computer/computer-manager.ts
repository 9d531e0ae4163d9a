import type { Clock } from '@orrery/aip'
import type { MCPServerManager } from '../mcp/mcp-server-manager.js'
import type { Gate } from '../policy/gate.js'
import { Computer } from './computer.js'

/** Whom a batch is for; it chooses the computer. */
export interface Addressee {
  agentName: string | null
  processName: string | null
  rootName: string | null
}

/** Makes the computers of a device, one for each agent, process and root. */
export class ComputerManager {
  readonly #servers: MCPServerManager
  readonly #clock: Clock
  readonly #gate: Gate | null
  readonly #computers = new Map<string, Computer>()

  /** @param gate what every call passes; null lets everything through */
  constructor(servers: MCPServerManager, clock: Clock, gate: Gate | null = null) {
    this.#servers = servers
    this.#clock = clock
    this.#gate = gate
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
    const servers = this.#servers.serversFor(agentName ?? '', rootName || 'default')
    const computer = new Computer(key, servers, this.#clock, this.#gate)
    this.#computers.set(key, computer)
    return computer
  }

  /** Forgets all computers. Their servers stay. */
  reset(): void {
    this.#computers.clear()
  }
}
