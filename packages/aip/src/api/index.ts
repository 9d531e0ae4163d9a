/** The shapes of the HTTP API, shared by the server, the SDK and the command line. Field names are those of the wire. */
import { z } from 'zod'
import { Command, Feature, MCPToolInfo, McpServerStatus, Result } from '../messages/values.js'

export const DeviceStatus = z.enum(['online', 'busy', 'offline'])
export type DeviceStatus = z.infer<typeof DeviceStatus>

/** A device that is, or was, connected. Times are ISO-8601. */
export const Device = z.object({
  device_id: z.string(),
  status: DeviceStatus,
  platform: z.string(),
  system_info: z.record(z.string(), z.unknown()).nullable(),
  features: z.array(Feature),
  connected_at: z.string().nullable(),
  current_session_id: z.string().nullable(),
  /** How its MCP servers are; null if it does not tell, or is offline. */
  mcp_servers: z.array(McpServerStatus).nullable().default(null),
})
export type Device = z.infer<typeof Device>

export const DeviceList = z.object({ devices: z.array(Device) })
export const ToolList = z.object({ tools: z.array(MCPToolInfo) })

/** A session waits as `accepted`, is `paused` while its device is away, and ends as one of the last three. */
export const SessionStatus = z.enum(['accepted', 'running', 'paused', 'completed', 'failed', 'cancelled'])
export type SessionStatus = z.infer<typeof SessionStatus>

/** Whether a session with this status has ended. */
export function hasEnded(status: SessionStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

/** What a session has used of a model so far. */
export const Usage = z.object({
  turns: z.number().int(),
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  /** How much of the input the provider had in its cache. */
  cached_tokens: z.number().int(),
  /** US dollars; null if a price is not known. */
  cost_usd: z.number().nullable(),
})
export type Usage = z.infer<typeof Usage>

/** A session. `result` is the agent's own value; for direct commands the list of results. */
export const Session = z.object({
  session_id: z.string(),
  /** The log's key: session ids may repeat, run ids never do. */
  run_id: z.string(),
  device_id: z.string(),
  task_name: z.string(),
  /** The agent that runs it; null until one is chosen. */
  agent: z.string().nullable(),
  status: SessionStatus,
  /** What was asked for, in words; for direct commands a short form of them. */
  request: z.string(),
  result: z.unknown(),
  error: z.string().nullable(),
  /** Batches of commands so far. */
  steps: z.number().int(),
  /** Null if no model was asked. */
  usage: Usage.nullable().default(null),
  /** What the session asks its user and waits for. */
  question: z.object({ question_id: z.string(), text: z.string() }).nullable().default(null),
  created_at: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
})
export type Session = z.infer<typeof Session>

export const SessionList = z.object({ sessions: z.array(Session) })

/** Query of the session list. `before` is a run id: only older sessions are listed. */
export const SessionQuery = z.object({
  device_id: z.string().optional(),
  status: SessionStatus.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  before: z.string().optional(),
})
export type SessionQuery = z.input<typeof SessionQuery>

/** A command as the API takes it: without a tool type an action tool is looked for first. */
export const CommandInput = Command.pick({ tool_name: true }).extend({
  parameters: z.record(z.string(), z.unknown()).nullish(),
  tool_type: Command.shape.tool_type.nullish(),
})
export type CommandInput = z.input<typeof CommandInput>

export const RunCommands = z.object({
  commands: z.array(CommandInput).min(1).max(1000),
  /** How long the device may take, in milliseconds. */
  timeout_ms: z.number().int().min(1).max(6_000_000).optional(),
})
export type RunCommands = z.input<typeof RunCommands>

export const CommandsOutcome = z.object({
  session_id: z.string(),
  status: SessionStatus,
  results: z.array(Result),
  error: z.string().nullable(),
})
export type CommandsOutcome = z.infer<typeof CommandsOutcome>

/** Which file of a device is meant; a relative path starts in the start folder of the device. */
export const FileQuery = z.object({ path: z.string().min(1) })

export const WriteFileQuery = FileQuery.extend({
  /** Whether a file that is there is replaced. */
  overwrite: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
})

/** A file that a device has taken. */
export const WrittenFile = z.object({
  session_id: z.string(),
  /** The real path on the device. */
  path: z.string(),
  bytes: z.number().int(),
  /** MD5 of what the device has written, in hex. */
  checksum: z.string(),
  /** Whether there was no such file. */
  created: z.boolean(),
})
export type WrittenFile = z.infer<typeof WrittenFile>

/** A new session: exactly one of `request` (words), `workflow` (the text of a workflow file) and `commands`. */
export const CreateSession = z
  .object({
    device_id: z.string().min(1),
    request: z.string().optional(),
    workflow: z.string().optional(),
    commands: z.array(CommandInput).min(1).max(1000).optional(),
    /** Inputs of the workflow, and the name of its file for messages. */
    inputs: z.record(z.string(), z.unknown()).optional(),
    file: z.string().max(255).optional(),
    task_name: z.string().optional(),
  })
  .refine((body) => [body.request, body.workflow, body.commands].filter((part) => part !== undefined).length === 1, {
    message: 'exactly one of request, workflow and commands must be given',
  })
export type CreateSession = z.input<typeof CreateSession>

/** Something that a user adds to the request of a running session. */
export const Remark = z.object({ text: z.string().min(1).max(20_000) })
export type Remark = z.infer<typeof Remark>

/** The answer to the question of a session; without the id it is for whichever is open. */
export const QuestionAnswer = z.object({ text: z.string().min(1).max(20_000), question_id: z.string().optional() })
export type QuestionAnswer = z.infer<typeof QuestionAnswer>

/** A workflow that the server knows, and what may be given to it. */
export const WorkflowSummary = z.object({
  name: z.string(),
  description: z.string(),
  inputs: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      description: z.string().nullable(),
      required: z.boolean(),
      default: z.unknown(),
    }),
  ),
})
export type WorkflowSummary = z.infer<typeof WorkflowSummary>

export const WorkflowList = z.object({ workflows: z.array(WorkflowSummary) })

/** A call that waits on its device for permission. */
export const Ask = z.object({
  ask_id: z.string(),
  device_id: z.string(),
  session_id: z.string(),
  call_id: z.string(),
  tool: z.string(),
  /** SHA-256 of the arguments that exactly this permission is about. */
  arguments_hash: z.string(),
  summary: z.string(),
  /** When it is denied unless somebody answers. */
  expires_at: z.string(),
})
export type Ask = z.infer<typeof Ask>

export const AskList = z.object({ asks: z.array(Ask) })

/** An answer to an ask. */
export const AskAnswer = z.object({ decision: z.enum(['allow', 'deny']) })
export type AskAnswer = z.infer<typeof AskAnswer>

/** The records of a session, which are also its events. */
export const RecordType = z.enum([
  'accepted',
  'commands_sent',
  'results_received',
  'agent_step',
  'question',
  'answer',
  'remark',
  'approval',
  'paused',
  'resumed',
  'ended',
  'delivered',
])
export type RecordType = z.infer<typeof RecordType>

/** One event of a session. Progress is not recorded, so it has no `seq`. */
export const SessionEvent = z.object({
  seq: z.number().int().nullable(),
  session_id: z.string(),
  time: z.string(),
  type: z.union([RecordType, z.literal('progress')]),
  data: z.record(z.string(), z.unknown()),
})
export type SessionEvent = z.infer<typeof SessionEvent>

/** Body of an error of the HTTP API. */
export const ApiError = z.object({ detail: z.string(), code: z.string() })
export type ApiError = z.infer<typeof ApiError>

/** The answers of the routes that existing peers know. */
export const Health = z.object({ status: z.literal('healthy'), online_clients: z.array(z.string()) })
export const Clients = z.object({ online_clients: z.array(z.string()) })
export const DispatchOutcome = z.object({
  status: z.literal('dispatched'),
  task_name: z.string(),
  client_id: z.string(),
  session_id: z.string(),
})
export const TaskResult = z.discriminatedUnion('status', [
  z.object({ status: z.literal('pending') }),
  z.object({ status: z.literal('done'), result: z.unknown() }),
])
export const Readiness = z.object({ status: z.enum(['ok', 'stopping']) })
