import type { Clock, Logger, ToolType } from '@orrery/aip'
import type { Transfers } from '../transfers/transfer-dialer.js'
import type { DeviceConfig, McpServerConfig } from '../config/device-config.js'
import { serversOf, type AgentToolSets, type McpYamlEntry } from '../config/mcp-yaml.js'
import type { Permits } from '../policy/permits.js'
import type { Roots } from '../policy/roots.js'
import { hiddenToolsOf, presetConnector } from './presets/presets.js'
import type { Environment } from '../process/child-environment.js'
import { BUILT_IN_NAMES, ownNameOf, type BuiltInName } from '../config/built-in-names.js'
import { BUILT_IN_SERVERS, isAvailable } from '../tools/built-in-servers.js'
import { httpConnector } from './http-connector.js'
import { localConnector, type LocalServerFactory } from './local-connector.js'
import { withLimitedCalls } from './limited-calls.js'
import type { ServerSpec } from './mcp-server.js'
import { stdioConnector } from './stdio-connector.js'

/** A server that a configuration asks for. */
export interface PlannedServer extends ServerSpec {
  /** Changes with everything that the running server depends on. */
  fingerprint: string
  /** Whether agents see it that the configuration says nothing about. */
  forAll: boolean
}

/** What servers get of the device. */
export interface ServerSurroundings {
  /** Servers of the embedding program, by name. */
  localServers: Readonly<Record<string, LocalServerFactory>>
  clock: Clock
  logger: Logger
  env: Environment
  cwd: string
  roots: Roots
  permits: Permits
  dataDir: string
  transfers: Transfers
}

/** The servers of a configuration in its order: built-in ones, those of the embedding program, presets, those of the file, those of `mcp.yaml`. */
export function plannedServers(config: DeviceConfig, toolSets: AgentToolSets, around: ServerSurroundings): PlannedServer[] {
  const planned = [
    ...BUILT_IN_NAMES.filter((name) => config.tools[name] && isAvailable(name, around.env)).map((name) =>
      builtIn(name, config, around),
    ),
    ...Object.entries(around.localServers).map(([name, factory]) => local(name, factory, around)),
    ...config.presets.map((name) => preset(name, around)),
    ...Object.entries(config.mcpServers).map(([key, server]) => configured(server.namespace ?? key, server, around)),
  ]
  const names = new Set(planned.map(({ name }) => name))
  for (const { entry, toolType } of serversOf(toolSets)) {
    if (names.has(entry.namespace)) continue
    if (entry.type !== 'local') planned.push(fromYaml(entry, toolType, around))
    else if (!names.has(ownNameOf(entry.namespace)))
      around.logger.warn(`[MCP] No MCP server found for name '${entry.namespace}' in local server registry.`)
  }
  return planned
}

function builtIn(name: BuiltInName, { shell, roots: folders }: DeviceConfig, around: ServerSurroundings): PlannedServer {
  const { clock, env, cwd, roots, permits, dataDir, transfers } = around
  const factory: LocalServerFactory = () =>
    BUILT_IN_SERVERS[name].create({ shell, clock, env, cwd, roots, permits, dataDir, transfers })
  // Descriptions may name the roots; those of `shell` do not, and its jobs should continue.
  const depends = name === 'shell' ? [shell] : [shell, folders]
  return { ...local(name, factory, around), builtIn: true, fingerprint: JSON.stringify(['built-in', ...depends]) }
}

function local(name: string, factory: LocalServerFactory, { clock, logger }: ServerSurroundings): PlannedServer {
  const connector = localConnector(name, factory, { clock, logger })
  return { name, toolType: 'action', reset: false, trusted: true, connector, fingerprint: 'local', forAll: true }
}

function preset(name: DeviceConfig['presets'][number], around: ServerSurroundings): PlannedServer {
  const hiddenTools = new Set(hiddenToolsOf(name))
  const connector = presetConnector(name, around)
  return { name, toolType: 'action', reset: false, trusted: false, hiddenTools, connector, fingerprint: 'preset', forAll: true }
}

function configured(name: string, server: McpServerConfig, around: ServerSurroundings): PlannedServer {
  const { command, url, headers, args, env, cwd } = server
  const connector =
    url === undefined
      ? stdioConnector(name, { command: command ?? '', args, env, cwd }, around)
      : httpConnector({ url, headers, transport: server.type === 'sse' ? 'sse' : 'http' }, around)
  return {
    name,
    toolType: server.type === 'data_collection' ? 'data_collection' : 'action',
    reset: server.reset,
    trusted: server.trustAnnotations,
    connector: withLimitedCalls(connector, server.timeout, around.clock),
    fingerprint: JSON.stringify(server),
    forAll: true,
  }
}

function fromYaml(entry: McpYamlEntry, toolType: ToolType, around: ServerSurroundings): PlannedServer {
  const { namespace: name, type, reset, command, start_args: args, env, cwd, host, port, path } = entry
  const connector =
    type === 'http'
      ? httpConnector({ url: `http://${host}:${port}${path}`, headers: {}, transport: 'http' }, around)
      : stdioConnector(name, { command, args, env, cwd }, around)
  return { name, toolType, reset, trusted: false, connector, fingerprint: JSON.stringify([entry, toolType]), forAll: false }
}
