import { silentLogger, sleep, systemClock, type Clock, type Logger } from '@orrery/aip'
import type { ConfigText } from './config/config-text.js'
import { DEFAULT_DEVICE_CONFIG, type DeviceConfig } from './config/device-config.js'
import { readDeviceConfig } from './config/load-device-config.js'
import { MCPServerManager } from './mcp/mcp-server-manager.js'
import type { MCPServer, MCPServerState } from './mcp/mcp-server.js'
import { deadRules } from './policy/dead-rules.js'
import { BUILT_IN_TOOLS } from './tools/built-in-servers.js'
import type { Environment } from './process/child-environment.js'

/** What {@link checkDevice} takes. */
export interface DeviceCheckOptions {
  /** How long the MCP servers may take to start, in milliseconds. */
  timeoutMs: number
  clock?: Clock
  logger?: Logger
  env?: Environment
  cwd?: string
}

/** How one MCP server started. */
export interface CheckedServer {
  name: string
  state: MCPServerState
  /** Number of tools. */
  tools: number
  error: string | null
}

/** What a valid configuration does in use. */
export interface DeviceCheck {
  servers: CheckedServer[]
  /** One line each: of the file with the place there, and of what a server describes badly. */
  warnings: string[]
}

/**
 * Reads a configuration, starts its MCP servers, lists their tools, and ends them again. No server is dialled.
 * @param path undefined: what holds without a file
 * @throws AipError `INVALID_CONFIG` with all mistakes of the file, or the first of its `mcp.yaml`
 */
export async function checkDevice(path: string | undefined, options: DeviceCheckOptions): Promise<DeviceCheck> {
  const { timeoutMs, clock = systemClock, logger = silentLogger, env = process.env, cwd = process.cwd() } = options
  const { config, file } = path === undefined ? { config: DEFAULT_DEVICE_CONFIG, file: null } : await readDeviceConfig(path, env)
  const manager = new MCPServerManager({ config, clock, logger, env, cwd })
  try {
    const servers = manager.createServersFromConfig()
    const over = new AbortController()
    const time = sleep(clock, timeoutMs, over.signal)
    await Promise.race([time, Promise.all(servers.map(hasSettled))])
    over.abort()
    const seconds = timeoutMs / 1000
    return {
      servers: servers.map((server) => ({
        name: server.name,
        state: server.state === 'starting' ? 'failed' : server.state,
        tools: server.tools.length,
        // One that fails starts again, and says why it failed before.
        error: server.lastError ?? (server.state === 'starting' ? `it did not start within ${seconds} s` : null),
      })),
      warnings: [
        ...(file === null ? [] : [...file.warnings(), ...warningsOf(config, servers, file)]),
        ...servers.flatMap(flawsOf),
      ],
    }
  } finally {
    await manager.stop()
  }
}

function flawsOf({ name, flaws }: MCPServer): string[] {
  return flaws.map((flaw) => `MCP server ${name}: ${flaw}`)
}

/** A single wait for a server ends sooner than a slow start. */
async function hasSettled(server: MCPServer): Promise<void> {
  while (server.state === 'starting') await server.settled()
}

function warningsOf(config: DeviceConfig, servers: readonly MCPServer[], file: ConfigText): string[] {
  const known = servers.map(({ name, toolType, builtIn, state, tools }) => {
    return { name, toolType, builtIn, tools: state === 'ready' ? tools.map((tool) => tool.name) : null }
  })
  return deadRules(config.policy.rules, known, (tool) => BUILT_IN_TOOLS.find(tool, config.shell)?.server).map(({ at, why }) => {
    const rule = ['policy', 'rules', at]
    return `${file.placeOf(rule)}: ${file.nameOf(rule)} never matches: ${why}`
  })
}
