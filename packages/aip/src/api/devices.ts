import { z } from 'zod'
import { Command, Feature, MCPToolInfo, McpServerStatus, Result } from '../messages/values.js'
import { body } from './body.js'
import { Position } from './position.js'
import { SessionStatus } from './sessions.js'

export const DeviceStatus = z.enum(['online', 'busy', 'offline'])
export type DeviceStatus = z.infer<typeof DeviceStatus>

/** A device that is, or was, connected. Times are ISO-8601. */
export const Device = z
  .object({
    device_id: z.string(),
    status: DeviceStatus,
    platform: z.string(),
    system_info: z.record(z.string(), z.unknown()).nullable(),
    features: z.array(Feature),
    connected_at: z.string().nullable(),
    last_seen_at: z.string().nullable().default(null),
    current_session_id: z.string().nullable(),
    mcp_servers: z
      .array(McpServerStatus.meta({ id: 'McpServer', description: 'State of an MCP server of a device' }))
      .nullable()
      .default(null)
      .describe('State of its MCP servers; null if it does not report them or is offline'),
  })
  .meta({ id: 'Device', description: 'A device that is, or was, connected' })
export type Device = z.infer<typeof Device>

/** A device that was forgotten. */
export const ForgottenDevice = z.object({ device_id: z.string(), forgotten: z.literal(true) })

/** A tool of a device. */
const Tool = MCPToolInfo.meta({ id: 'Tool', description: 'A tool of a device' })
/** The result of one command. */
const CommandResult = Result.meta({ id: 'Result', description: 'The result of one command' })

export const DeviceList = z.object({ devices: z.array(Device), position: Position })
export const ToolList = z.object({
  tools: z.array(Tool),
  listed_at: z.string().nullable().default(null).describe('When the device listed them; null if it never did'),
})

/** A command as the API takes it. */
export const CommandInput = body({
  tool_name: Command.shape.tool_name,
  parameters: z.record(z.string(), z.unknown()).nullish(),
  tool_type: Command.shape.tool_type.nullish().describe('Default: an action tool if there is one, else data collection'),
}).meta({ id: 'Command', description: 'A tool call' })
export type CommandInput = z.input<typeof CommandInput>

export const RunCommands = body({
  commands: z.array(CommandInput).min(1).max(1000),
  timeout_ms: z.number().int().min(1).max(6_000_000).optional().describe('How long the device may take'),
  concurrent: z
    .boolean()
    .optional()
    .describe('Run beside the running session; the device refuses what is not trusted to be read-only'),
})
export type RunCommands = z.input<typeof RunCommands>

export const CommandsOutcome = z
  .object({
    session_id: z.string(),
    status: SessionStatus,
    results: z.array(CommandResult),
    error: z.string().nullable(),
  })
  .meta({ id: 'CommandsOutcome', description: 'The results of direct commands' })
export type CommandsOutcome = z.infer<typeof CommandsOutcome>

/** Which file of a device is meant. */
export const FileQuery = z.object({
  path: z.string().min(1).describe("Relative paths start in the device's start folder"),
})

export const WriteFileQuery = FileQuery.extend({
  overwrite: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('Whether an existing file is replaced'),
  mode: z
    .string()
    .regex(/^[0-7]{1,3}$/)
    .optional()
    .describe('Permissions in octal, such as 750; default: those of the file that it replaces, or of a new file'),
  modified: z.iso.datetime().optional().describe('Time of the last change, ISO 8601 in UTC; default: now'),
})

/** A file that a device has written. */
export const WrittenFile = z
  .object({
    session_id: z.string(),
    path: z.string().describe('The real path on the device'),
    bytes: z.number().int(),
    checksum: z.string().describe('MD5 of what the device has written, in hex'),
    created: z.boolean().describe('False if the file replaced another'),
  })
  .meta({ id: 'WrittenFile', description: 'A file that a device has written' })
export type WrittenFile = z.infer<typeof WrittenFile>
