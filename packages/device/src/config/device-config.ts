import { LIMITS } from '@orrery/aip'
import { z } from 'zod'
import { PolicyConfig, PolicyRule, PolicySettings } from '../policy/policy-config.js'
import { PRESET_NAMES } from './preset-names.js'
import { BUILT_IN_NAMES } from './built-in-names.js'

/** An MCP server as MCP hosts write it, plus `namespace`, `reset` and `trustAnnotations`: a program with `command`, or an address with `url`. */
export const McpServerConfig = z
  .strictObject({
    /** How it is reached, if `command` or `url` does not say so; `data_collection`: its tools are for an agent's own observation. */
    type: z.enum(['stdio', 'http', 'streamable-http', 'sse', 'data_collection']).optional(),
    /** Program that is started as a child process. */
    command: z.string().min(1).optional(),
    args: z.array(z.string()).default([]),
    /** Added to the harmless part of the device's environment. */
    env: z.record(z.string(), z.string()).default({}),
    /** Default: the folder in which the device was started. */
    cwd: z.string().optional(),
    /** Address of a server that runs by itself. */
    url: z.url({ protocol: /^https?$/ }).optional(),
    headers: z.record(z.string(), z.string()).default({}),
    /** Longest call of one of its tools, in seconds. */
    timeout: z
      .number()
      .positive()
      .max(LIMITS.toolTime / 1000)
      .optional(),
    /** The name under which results and tools are known; default: the key. */
    namespace: z.string().min(1).optional(),
    /** Restart it when a session ends. */
    reset: z.boolean().default(false),
    /** Trust the annotations of its tools (read-only, idempotent): such a command may run again after an interruption. */
    trustAnnotations: z.boolean().default(false),
  })
  .superRefine((server, context) => {
    const wrong = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
    for (const [name, value] of Object.entries(server.headers)) {
      const message = headerProblem(name, value)
      if (message !== null) context.addIssue({ code: 'custom', path: ['headers', name], message })
    }
    if ((server.command === undefined) === (server.url === undefined)) wrong('command', "give either 'command' or 'url'")
    else if (server.url === undefined && ['http', 'streamable-http', 'sse'].includes(server.type ?? ''))
      wrong('type', "this type needs a 'url'")
    else if (server.command === undefined && server.type === 'stdio') wrong('type', "this type needs a 'command'")
  })
export type McpServerConfig = z.infer<typeof McpServerConfig>

/** What HTTP does not allow in a header; null for nothing. A header is sent as Latin-1, without control characters. */
function headerProblem(name: string, value: string): string | null {
  if (!/^[!#$%&'*+.^_`|~\dA-Za-z-]+$/.test(name)) return `HTTP does not allow a header of the name '${name}'`
  const [strange] = /[^\t\u0020-\u007e\u0080-\u00ff]/u.exec(value) ?? []
  if (strange === undefined) return null
  return `header ${name} has a character that HTTP does not allow: ${JSON.stringify(strange)}`
}

const onByDefault = z.boolean().default(true)

/** MCP servers by name. */
const Servers = z.record(z.string(), McpServerConfig)

const Audit = z.strictObject({
  enabled: z.boolean().default(true),
  /** Keep the arguments themselves, not only their hash. */
  contents: z.boolean().default(false),
  /** Size at which a file is rotated, in bytes. */
  max_bytes: z
    .number()
    .int()
    .min(1024)
    .default(10 * 1024 * 1024),
  /** Number of rotated files that are kept. */
  files: z.number().int().min(0).max(1000).default(5),
})

const DeviceFile = z.strictObject({
  $schema: z.string().optional(),
  client_id: z.string().optional(),
  /** URL of the server, `ws://` or `wss://`. */
  server: z.string().optional(),
  /** The device key. */
  token: z.string().optional(),
  /** File with the certificates that are trusted for the server instead of those of Node, PEM. Relative to this file. */
  ca: z.string().min(1).optional(),
  /** SHA-256 of the server's certificate, `sha256:…`: checked instead of its name and who signed it. */
  fingerprint: z.string().optional(),
  /** Longest wait before the device tries again to reach a server that keeps its sessions, in seconds; default 5. */
  reconnect_s: z.number().positive().optional(),
  /** Time between two heartbeats, in seconds; default 120. */
  heartbeat_s: z.number().positive().optional(),
  /** With `off`, sessions end with the connection, and attempts to connect are limited, as with existing peers. */
  resume: z.enum(['on', 'off']).optional(),
  /** The largest batch of commands that a server of Orrery sends to this device, in bytes; default 8 MiB. Others may send up to 100 MiB. */
  max_frame: z.number().int().min(LIMITS.frameBeforeRegistration).max(LIMITS.frame).optional(),
  /** `strict`: a list of programs, no shell. `full`: the shell of the system. */
  shell: z.enum(['strict', 'full']).default('strict'),
  /** The folders that tools may work in. Default: the folder in which the device was started. Relative to this file. */
  roots: z.array(z.string().min(1)).min(1).optional(),
  /** Built-in servers, on or off. */
  tools: z
    .strictObject(Object.fromEntries(BUILT_IN_NAMES.map((name) => [name, onByDefault])) as Record<BuiltIn, typeof onByDefault>)
    .prefault({}),
  /** MCP servers that are added by name alone; their packages have to be installed. */
  presets: z.array(z.enum(PRESET_NAMES)).default([]),
  mcpServers: Servers.optional(),
  /** Another spelling of `mcpServers`. */
  servers: Servers.optional(),
  /** What may run here. Without a matching rule: what only reads, and the programs of the strict shell; the rest is asked. */
  policy: PolicyConfig.prefault({}),
  /** The record of what ran here. */
  audit: Audit.prefault({}),
  /**
   * Which MCP servers an agent sees, by its name and then by the application, `default` for all others: names of built-in servers,
   * presets and `mcpServers`. An agent that is not here sees all.
   */
  agents: z.record(z.string(), z.record(z.string(), z.array(z.string().min(1)))).default({}),
  /** The `mcp.yaml` of an existing device: which tools each agent sees. Relative to this file. */
  mcpYaml: z.string().min(1).optional(),
})

/** The file `device.jsonc`. All keys may be left out; unknown ones are an error. */
export const DeviceConfig = DeviceFile.superRefine(({ mcpServers, servers }, context) => {
  if (mcpServers === undefined || servers === undefined) return
  context.addIssue({ code: 'custom', path: ['servers'], message: "give either 'mcpServers' or 'servers'" })
}).transform(({ mcpServers, servers, ...config }) => ({ ...config, mcpServers: mcpServers ?? servers ?? {} }))
export type DeviceConfig = z.infer<typeof DeviceConfig>

type BuiltIn = (typeof BUILT_IN_NAMES)[number]

/** The configuration without a file. */
export const DEFAULT_DEVICE_CONFIG: DeviceConfig = DeviceConfig.parse({})

/** Returns the keys that an object of the file may have; none where every key is allowed. @param path of the object */
export function keysAt([first, second, third]: readonly PropertyKey[]): readonly string[] {
  if (first === undefined) return Object.keys(DeviceFile.shape)
  if (first === 'tools') return BUILT_IN_NAMES
  if (first === 'audit') return Object.keys(Audit.shape)
  if (first === 'policy') return Object.keys(third === undefined ? PolicySettings.shape : PolicyRule.shape)
  return (first === 'mcpServers' || first === 'servers') && second !== undefined ? Object.keys(McpServerConfig.shape) : []
}

/** Keys that are read when a device starts, and not again. */
const RESTART_KEYS = [
  'client_id',
  'server',
  'token',
  'ca',
  'fingerprint',
  'reconnect_s',
  'heartbeat_s',
  'resume',
  'max_frame',
  'audit',
] as const

/** Returns the keys that have changed and take effect only when the device starts again. */
export function restartKeysIn(before: DeviceConfig, after: DeviceConfig): string[] {
  return RESTART_KEYS.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
}
