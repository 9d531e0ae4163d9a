import { z } from 'zod'
import { BUILT_IN_NAMES } from '../tools/built-in-servers.js'

/** An MCP server as MCP hosts write it, plus `namespace` and `reset`. */
export const McpServerConfig = z.strictObject({
  /** `data_collection`: started like `stdio`, but its tools are for an agent's own observation and are not offered to a model. */
  type: z.enum(['stdio', 'data_collection']).default('stdio'),
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  /** Added to the harmless part of the device's environment. */
  env: z.record(z.string(), z.string()).default({}),
  /** Default: the folder in which the device was started. */
  cwd: z.string().optional(),
  /** The name under which results and tools are known; default: the key. */
  namespace: z.string().min(1).optional(),
  /** Start it anew when a session ends. */
  reset: z.boolean().default(false),
  /** Believe what its tools say of themselves (read-only, idempotent): such a command may run again after an interruption. */
  trustAnnotations: z.boolean().default(false),
})
export type McpServerConfig = z.infer<typeof McpServerConfig>

const onByDefault = z.boolean().default(true)

/** The file `device.jsonc`. All keys may be left out; unknown ones are an error. */
export const DeviceConfig = z.strictObject({
  $schema: z.string().optional(),
  client_id: z.string().optional(),
  /** URL of the server, `ws://` or `wss://`. */
  server: z.string().optional(),
  /** The device key. */
  token: z.string().optional(),
  /** `strict`: a list of programs, no shell. `full`: the shell of the system. */
  shell: z.enum(['strict', 'full']).default('strict'),
  /** Built-in servers, on or off. */
  tools: z
    .strictObject(Object.fromEntries(BUILT_IN_NAMES.map((name) => [name, onByDefault])) as Record<BuiltIn, typeof onByDefault>)
    .prefault({}),
  mcpServers: z.record(z.string(), McpServerConfig).default({}),
})
export type DeviceConfig = z.infer<typeof DeviceConfig>

type BuiltIn = (typeof BUILT_IN_NAMES)[number]

/** What holds without a file. */
export const DEFAULT_DEVICE_CONFIG: DeviceConfig = DeviceConfig.parse({})
