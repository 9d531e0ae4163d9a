import type { Clock, Logger, ToolType } from '@orrery/aip'
import type { DeviceConfig } from '../config/device-config.js'
import type { Environment } from '../process/child-environment.js'
import { BUILT_IN_NAMES, BUILT_IN_SERVERS } from '../tools/built-in-servers.js'
import type { Connector } from './connection.js'
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
}

/** What {@link MCPServerManager.createOrGetServer} makes a server from. */
export interface ServerSpec {
  name: string
  toolType: ToolType
  reset: boolean
  trusted: boolean
  connector: Connector
}

/** Owns the MCP servers of a device: starts them, finds them by name, ends them. */
export class MCPServerManager {
  readonly #options: MCPServerManagerOptions
  readonly #servers = new Map<string, MCPServer>()

  constructor(options: MCPServerManagerOptions) {
    this.#options = options
  }

  /** All servers in the order of the configuration: built-in ones, those of the embedding program, those of the file. */
  get servers(): readonly MCPServer[] {
    return [...this.#servers.values()]
  }

  /** Makes and starts all servers that are configured. Does not wait for their start. */
  createServersFromConfig(): readonly MCPServer[] {
    const { config, localServers = {}, clock, logger, env, cwd } = this.#options
    for (const name of BUILT_IN_NAMES) {
      if (!config.tools[name]) continue
      const factory = (): ReturnType<LocalServerFactory> => BUILT_IN_SERVERS[name]({ shell: config.shell, clock, env, cwd })
      this.#createLocal(name, factory)
    }
    for (const [name, factory] of Object.entries(localServers)) this.#createLocal(name, factory)
    for (const [key, server] of Object.entries(config.mcpServers)) {
      const name = server.namespace ?? key
      this.createOrGetServer({
        name,
        toolType: server.type === 'data_collection' ? 'data_collection' : 'action',
        reset: server.reset,
        trusted: server.trustAnnotations,
        connector: stdioConnector(name, server, { clock, env, cwd, logger }),
      })
    }
    return this.servers
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

  #createLocal(name: string, factory: LocalServerFactory): void {
    const { clock, logger } = this.#options
    this.createOrGetServer({
      name,
      toolType: 'action',
      reset: false,
      trusted: true,
      connector: localConnector(name, factory, { clock, logger }),
    })
  }
}
