import { tmpdir } from 'node:os'
import { messageOf, silentLogger, systemClock, type Clock, type Logger } from '@orrery/aip'
import { NO_TRANSFERS, type Transfers } from '../transfers/transfer-dialer.js'
import { DEFAULT_DEVICE_CONFIG, type DeviceConfig } from '../config/device-config.js'
import { loadMcpYaml, namespacesOf, type AgentToolSets } from '../config/mcp-yaml.js'
import { Permits } from '../policy/permits.js'
import { Roots } from '../policy/roots.js'
import type { Environment } from '../process/child-environment.js'
import { ownNameOf } from '../config/built-in-names.js'
import type { LocalServerFactory } from './local-connector.js'
import { MCPServer, type ServerSpec } from './mcp-server.js'
import { plannedServers, type PlannedServer } from './planned-servers.js'

/** What a manager is built from. All of it has a default, as seed 003 shows: `new MCPServerManager()`. */
export interface MCPServerManagerOptions {
  /** Default: the built-in servers, with the strict shell. Another file is read with `loadDeviceConfig`, `mcp.yaml` and `config_dev.yaml` by its key `mcpYaml`. */
  config?: DeviceConfig
  /** Servers of the embedding program, by name. */
  localServers?: Readonly<Record<string, LocalServerFactory>>
  /** Default: the system's. */
  clock?: Clock
  /** Default: none. */
  logger?: Logger
  /** The device's own environment; children get only its harmless part. Default: that of this process. */
  env?: Environment
  /** The folder in which commands and servers run unless they name another. Default: the current one. */
  cwd?: string
  /** Where tools may work with files. Default: those of the configuration. */
  roots?: Roots
  /** Commands that the policy of the device has let through. Default: none ever are. */
  permits?: Permits
  /** A folder for what tools keep aside while they run. Default: that of the system for temporary files. */
  dataDir?: string | undefined
  /** Connections for whole files. Default: none can be made. */
  transfers?: Transfers
}

/** What servers are planned with. */
type Surroundings = Parameters<typeof plannedServers>[2]

/** A server, and what it was planned from; null if it came from elsewhere. */
interface OwnedServer {
  server: MCPServer
  plan: PlannedServer | null
}

/** Owns the MCP servers of a device: starts them, finds them by name, ends them. */
export class MCPServerManager {
  readonly #around: Surroundings
  #servers = new Map<string, OwnedServer>()
  /** Servers that the configuration no longer has, and on which a command may still run. */
  readonly #leaving = new Set<MCPServer>()
  /** Called when one of the servers, or which there are, has changed. */
  onChange: () => void = () => {}
  #config: DeviceConfig
  #toolSets: AgentToolSets

  /** @throws AipError `INVALID_CONFIG` for a bad `mcp.yaml` */
  constructor(options: MCPServerManagerOptions = {}) {
    const { config = DEFAULT_DEVICE_CONFIG, cwd = process.cwd() } = options
    this.#config = config
    this.#toolSets = toolSetsOf(config)
    this.#around = {
      localServers: options.localServers ?? {},
      clock: options.clock ?? systemClock,
      logger: options.logger ?? silentLogger,
      env: options.env ?? process.env,
      cwd,
      roots: options.roots ?? new Roots({ folders: config.roots, cwd }),
      permits: options.permits ?? new Permits(),
      dataDir: options.dataDir ?? tmpdir(),
      transfers: options.transfers ?? NO_TRANSFERS,
    }
  }

  /** All servers in the order of the configuration: built-in ones, those of the embedding program, those of the file. */
  get servers(): readonly MCPServer[] {
    return [...this.#servers.values()].map(({ server }) => server)
  }

  /** Makes and starts all servers that are configured. Does not wait for their start. */
  createServersFromConfig(): readonly MCPServer[] {
    this.update(this.#config)
    return this.servers
  }

  /**
   * Applies another configuration: changed servers restart, removed ones end, all others keep running.
   * @param quiet settles when the servers that are to end are no longer in use
   * @throws AipError `INVALID_CONFIG` for a bad `mcp.yaml`; nothing has changed then
   */
  update(config: DeviceConfig, quiet: Promise<void> = Promise.resolve()): void {
    const toolSets = toolSetsOf(config)
    const planned = plannedServers(config, toolSets, this.#around)
    const before = this.#servers
    this.#config = config
    this.#toolSets = toolSets
    this.#servers = new Map()
    for (const plan of planned) {
      const known = before.get(plan.name)
      const stays = known !== undefined && (known.plan === null || known.plan.fingerprint === plan.fingerprint)
      if (stays) this.#servers.set(plan.name, known)
      else this.#start(plan, plan)
    }
    for (const [name, owned] of before) {
      if (owned.plan === null) this.#servers.set(name, owned)
      else if (this.#servers.get(name)?.server !== owned.server) this.#endAfter(quiet, owned.server)
    }
    this.onChange()
  }

  /**
   * The servers that an agent sees: those that the configuration gives it, or the device's default set, which is all others.
   * @param agents of the configuration; default: that of this manager
   */
  serversFor(agent: string, root: string, agents = this.#config.agents): readonly MCPServer[] {
    const names = namesFor(agents, agent, root) ?? namespacesOf(this.#toolSets, agent, root)
    if (names !== undefined) {
      const found = names.flatMap((name) => this.getServer(name) ?? this.getServer(ownNameOf(name)) ?? [])
      return [...new Set(found)]
    }
    return [...this.#servers.values()].filter(({ plan }) => plan?.forAll !== false).map(({ server }) => server)
  }

  /** The server of this name, made and started if there is none. */
  createOrGetServer(spec: ServerSpec): MCPServer {
    return this.getServer(spec.name) ?? this.#start(spec, null)
  }

  /** The server of this name, if there is one. */
  getServer(name: string): MCPServer | undefined {
    return this.#servers.get(name)?.server
  }

  /** Takes over a server; one of the same name before it must have been stopped. */
  registerServer(server: MCPServer): void {
    this.#servers.set(server.name, { server, plan: null })
  }

  /** Restarts the servers that are configured so; the others keep running (design, delivery contract). */
  async reset(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.reset()))
  }

  /** Ends all servers. */
  async stop(): Promise<void> {
    await Promise.all([...this.servers, ...this.#leaving].map((server) => server.stop()))
  }

  #start(spec: ServerSpec, plan: PlannedServer | null): MCPServer {
    const { clock, logger } = this.#around
    const server = new MCPServer({ ...spec, clock, logger, onChange: () => this.onChange() })
    this.#servers.set(spec.name, { server, plan })
    server.start()
    return server
  }

  #endAfter(quiet: Promise<void>, server: MCPServer): void {
    this.#leaving.add(server)
    void quiet
      .then(() => server.stop())
      .catch((error: unknown) => this.#around.logger.error(`[MCP] Server ${server.name} did not end: ${messageOf(error)}`))
      .finally(() => this.#leaving.delete(server))
  }
}

/** Names of the servers that `device.jsonc` gives an agent; undefined if it says nothing about it. */
function namesFor(agents: DeviceConfig['agents'], agent: string, root: string): readonly string[] | undefined {
  const sets = Object.hasOwn(agents, agent) ? agents[agent] : undefined
  return sets?.[Object.hasOwn(sets, root) ? root : 'default']
}

function toolSetsOf({ mcpYaml }: DeviceConfig): AgentToolSets {
  return mcpYaml === undefined ? {} : loadMcpYaml(mcpYaml)
}
