import { z } from 'zod'

/** An optional text: absent and `null` are the same. */
export const text = z.string().nullable().default(null)
/** An optional object of any keys: absent and `null` are the same. */
export const object = z.record(z.string(), z.unknown()).nullable().default(null)

/** State of a task as messages carry it, under the names of the documents too: `TaskStatus.PROCESSING` is `continue` (contradictions, C-11). */
export const TaskStatus = Object.assign(z.enum(['continue', 'completed', 'failed', 'ok', 'error']), {
  CONTINUE: 'continue',
  PROCESSING: 'continue',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'failed',
  OK: 'ok',
  SUCCESS: 'ok',
  ERROR: 'error',
} as const)
export type TaskStatus = z.infer<typeof TaskStatus>

/** The two kinds of client. */
export const ClientType = Object.assign(z.enum(['device', 'constellation']), {
  DEVICE: 'device',
  CONSTELLATION: 'constellation',
} as const)
export type ClientType = z.infer<typeof ClientType>

/** How a command ended; `none` is a placeholder. `ResultStatus.ERROR` is `failure` (contradictions, C-10). */
export const ResultStatus = Object.assign(z.enum(['success', 'failure', 'skipped', 'none']), {
  SUCCESS: 'success',
  FAILURE: 'failure',
  ERROR: 'failure',
  SKIPPED: 'skipped',
  NONE: 'none',
} as const)
export type ResultStatus = z.infer<typeof ResultStatus>

/** `action` tools are offered to a model, `data_collection` tools only to an agent's own observation. */
export const ToolType = z.enum(['data_collection', 'action'])
export type ToolType = z.infer<typeof ToolType>

/** One tool call. `call_id` is given by the server when the batch is sent. Without `tool_type`, action tools are searched first. */
export const Command = z.object({
  tool_name: z.string(),
  parameters: object,
  tool_type: ToolType.nullable().default(null),
  call_id: text,
})
export type Command = z.infer<typeof Command>

/** The outcome of one command. `result` is any JSON value; `""`, `0`, `false` and `[]` are ordinary results. */
export const Result = z.object({
  status: ResultStatus,
  error: text,
  result: z.unknown().default(null),
  namespace: text,
  call_id: text,
})
export type Result = z.infer<typeof Result>

/** One tool as `list_tools` describes it. `tool_key` is `tool_type::tool_name`. */
export const MCPToolInfo = z.object({
  tool_key: z.string(),
  tool_name: z.string(),
  title: text,
  namespace: z.string(),
  tool_type: ToolType,
  description: text,
  input_schema: object,
  output_schema: object,
  meta: object,
  annotations: object,
})
export type MCPToolInfo = z.infer<typeof MCPToolInfo>

/** What a device reports about itself when it registers. Memory is in GiB, rounded to two decimals. */
export const DeviceInfo = z.looseObject({
  device_id: z.string(),
  platform: z.string(),
  os_version: z.string(),
  cpu_count: z.number().int(),
  memory_total_gb: z.number(),
  hostname: z.string(),
  ip_address: z.string(),
  supported_features: z.array(z.string()),
  platform_type: z.string(),
  schema_version: z.string(),
  custom_metadata: z.record(z.string(), z.unknown()),
})
export type DeviceInfo = z.infer<typeof DeviceInfo>

/** The state of an MCP server of a device. */
export const McpServerStatus = z.object({
  name: z.string(),
  /** `unknown` is a state that the reader does not know. */
  state: z.enum(['starting', 'ready', 'failed', 'stopped', 'unknown']),
  /** Number of tools; for a server that is not ready, its last known number. */
  tools: z.number().int(),
  /** Why it is not ready. */
  error: z.string().nullable(),
})
export type McpServerStatus = z.infer<typeof McpServerStatus>

/** Names of the optional features that Orrery's own peers negotiate at registration. */
export const Feature = z.enum(['journal', 'resume', 'cancel', 'progress', 'ask', 'files', 'concurrent', 'info', 'terminal'])
export type Feature = z.infer<typeof Feature>
