import { tmpdir } from 'node:os'
import type { Clock, Logger, ToolType } from '@orrery/aip'
import type { DeviceConfig, McpServerConfig } from '../config/device-config.js'
import { loadMcpYaml, namespacesOf, serversOf, type AgentToolSets, type McpYamlEntry } from '../config/mcp-yaml.js'
import { Permits } from '../policy/permits.js'
import { Roots } from '../policy/roots.js'
import type { Environment } from '../process/child-environment.js'
import { hiddenToolsOf, presetConnector } from '../presets/presets.js'
import { BUILT_IN_NAMES, BUILT_IN_SERVERS, isAvailable, ownNameOf } from '../tools/built-in-servers.js'
import type { Connector } from './connection.js'
import { httpConnector } from './http-connector.js'
import { localConnector, type LocalServerFactory } from './local-connector.js'
import { MCPServer } from './mcp-server.js'
import { stdioConnector } from './stdio-connector.js'

/** What a manager is built from. */
export interface MCPServerManagerOptions {
  config: DeviceConfig
  /** Servers of the embedding program, by name. */
  localServers?: Readonly<Record<string, LocalServerFactory>>
  clock: Clock
  logger: Logger
  /** The device's own environment; children get only its harmless part. */
  env: Environment
  /** The folder in which commands and servers run unless they name another. */
  cwd: string
  /** Where tools may work with files. Default: those of the configuration. */
  roots?: Roots
  /** Commands that the policy of the device has let through. Default: none ever are. */
  permits?: Permits
  /** A folder for what tools keep aside while they run. Default: that of the system for temporary files. */
  dataDir?: string | undefined
}

/** What {@link MCPServerManager.createOrGetServer} makes a server from. */
export interface ServerSpec {
  name: string
  toolType: ToolType
  reset: boolean
  trusted: boolean
  builtIn?: boolean
  hiddenTools?: ReadonlySet<string> | undefined
  connector: Connector
}

/** Owns the MCP servers of a device: starts them, finds them by name, ends them. */
export class MCPServerManager {
  readonly #options: MCPServerManagerOptions
  readonly #servers = new Map<string, MCPServer>()
  /** Servers that every agent sees that `mcp.yaml` does not know. */
  readonly #default = new Set<string>()
  readonly #toolSets: AgentToolSets

  /** @throws AipError `INVALID_CONFIG` for a bad `mcp.yaml` */
  constructor(options: MCPServerManagerOptions) {
    this.#options = options
    this.#toolSets = options.config.mcpYaml === undefined ? {} : loadMcpYaml(options.config.mcpYaml)
  }

  /** All servers in the order of the configuration: built-in ones, those of the embedding program, those of the file. */
  get servers(): readonly MCPServer[] {
    return [...this.#servers.values()]
  }

  /** Makes and starts all servers that are configured. Does not wait for their start. */
  createServersFromConfig(): readonly MCPServer[] {
    const { config, localServers = {}, clock, logger, env, cwd, dataDir = tmpdir() } = this.#options
    const { roots = new Roots({ folders: config.roots, cwd }), permits = new Permits() } = this.#options
    for (const name of BUILT_IN_NAMES) {
      if (!config.tools[name] || !isAvailable(name, env)) continue
      const factory = (): ReturnType<LocalServerFactory> =>
        BUILT_IN_SERVERS[name]({ shell: config.shell, clock, env, cwd, roots, permits, dataDir })
      this.#createLocal(name, factory, true)
    }
    for (const [name, factory] of Object.entries(localServers)) this.#createLocal(name, factory)
    for (const name of config.presets) {
      const connector = presetConnector(name, { clock, logger, env, cwd, dataDir })
      this.#default.add(name)
      const hiddenTools = new Set(hiddenToolsOf(name))
      this.createOrGetServer({ name, toolType: 'action', reset: false, trusted: false, hiddenTools, connector })
    }
    for (const [key, server] of Object.entries(config.mcpServers)) this.#createConfigured(server.namespace ?? key, server)
    for (const { entry, toolType } of serversOf(this.#toolSets)) this.#createFromYaml(entry, toolType)
    return this.servers
  }

  /** The servers that an agent sees: those that `mcp.yaml` gives it, or the device's default set, which is all others. */
  serversFor(agent: string, root: string): readonly MCPServer[] {
    const names = namespacesOf(this.#toolSets, agent, root)
    if (names !== undefined) {
      const found = names.flatMap((name) => this.#servers.get(name) ?? this.#servers.get(ownNameOf(name)) ?? [])
      return [...new Set(found)]
    }
    const special = new Set(serversOf(this.#toolSets).map(({ entry }) => entry.namespace))
    return this.servers.filter((server) => !special.has(server.name) || this.#default.has(server.name))
  }

  #createConfigured(name: string, server: McpServerConfig): void {
    const { clock, logger, env, cwd } = this.#options
    const { command, url, headers, args } = server
    this.#default.add(name)
    this.createOrGetServer({
      name,
      toolType: server.type === 'data_collection' ? 'data_collection' : 'action',
      reset: server.reset,
      trusted: server.trustAnnotations,
      connector:
        url === undefined
          ? stdioConnector(name, { command: command ?? '', args, env: server.env, cwd: server.cwd }, { clock, env, cwd, logger })
          : httpConnector(name, { url, headers, transport: server.type === 'sse' ? 'sse' : 'http' }, { clock }),
    })
  }

  /** A server of `mcp.yaml`; a local one that this device does not have is passed over. */
  #createFromYaml({ namespace: name, type, reset, ...entry }: McpYamlEntry, toolType: ToolType): void {
    const { clock, logger, env, cwd } = this.#options
    if (type === 'local') {
      if (this.#servers.has(name) || this.#servers.has(ownNameOf(name))) return
      return logger.warn(`[MCP] No MCP server found for name '${name}' in local server registry.`)
    }
    const connector =
      type === 'http'
        ? httpConnector(
            name,
            { url: `http://${entry.host}:${entry.port}${entry.path}`, headers: {}, transport: 'http' },
            { clock },
          )
        : stdioConnector(
            name,
            { command: entry.command, args: entry.start_args, env: entry.env, cwd: entry.cwd },
            { clock, env, cwd, logger },
          )
    this.createOrGetServer({ name, toolType, reset, trusted: false, connector })
  }

  /** The server of this name, made and started if there is none. */
  createOrGetServer(spec: ServerSpec): MCPServer {
    const known = this.#servers.get(spec.name)
    if (known !== undefined) return known
    const { clock, logger } = this.#options
    const server = new MCPServer({ ...spec, clock, logger })
    this.registerServer(server)
    server.start()
    return server
  }

  /** The server of this name, if there is one. */
  getServer(name: string): MCPServer | undefined {
    return this.#servers.get(name)
  }

  /** Takes over a server; one of the same name before it must have been stopped. */
  registerServer(server: MCPServer): void {
    this.#servers.set(server.name, server)
  }

  /** Starts those servers anew that are configured so; the others keep running (design, delivery contract). */
  async reset(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.reset()))
  }

  /** Ends all servers. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  #createLocal(name: string, factory: LocalServerFactory, builtIn = false): void {
    const { clock, logger } = this.#options
    this.#default.add(name)
    this.createOrGetServer({
      name,
      toolType: 'action',
      reset: false,
      trusted: true,
      builtIn,
      connector: localConnector(name, factory, { clock, logger }),
    })
  }
}
