import { Command, errorText } from '@orrery/aip'
import { z } from 'zod'

/** What a task asks for. The whole of it is recorded before the task is acknowledged, and read back after a restart. */
export const Work = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('words'), request: z.string() }),
  /** `source` is the text of the file, `file` its name for messages, `inputs` have their defaults filled in. */
  z.object({
    kind: z.literal('workflow'),
    name: z.string(),
    file: z.string(),
    source: z.string(),
    inputs: z.record(z.string(), z.unknown()),
  }),
  /** Steps in words, each done by a model before the next; `object` is what they are about. */
  z.object({ kind: z.literal('plan'), task: z.string(), steps: z.array(z.string()), object: z.string().nullable() }),
  z.object({ kind: z.literal('commands'), commands: z.array(Command), timeout_ms: z.number().optional() }),
])
export type Work = z.infer<typeof Work>

/** Who asked: an operator through the HTTP API, or a client on its connection. */
export interface Owner {
  kind: 'operator' | 'device' | 'constellation'
  client_id: string | null
  /** Whether the client can come back to its sessions after its connection was lost. */
  resumes: boolean
}

/** One request for one device. */
export interface Task {
  /** Unique among live sessions only; the log's key is the run id. */
  sessionId: string
  taskName: string
  deviceId: string
  owner: Owner
  /** The same owner, session id and request id again is the same request, not a new one. */
  requestId: string | null
  work: Work
  /** The device is sent a TASK first and answers with its own task of the same name (HTTP dispatch of existing peers). */
  assigned: boolean
  /** A question of the server itself, such as a tool list: not recorded and not listed. */
  transient: boolean
}

/** A task of the operator. */
export function operatorTask(deviceId: string, work: Work, more: Partial<Task> = {}): Task {
  return {
    sessionId: crypto.randomUUID(),
    taskName: crypto.randomUUID(),
    deviceId,
    owner: { kind: 'operator', client_id: null, resumes: false },
    requestId: null,
    work,
    assigned: false,
    transient: false,
    ...more,
  }
}

/** How a session ended. */
export interface Outcome {
  status: 'completed' | 'failed' | 'cancelled'
  /** The agent's own value. */
  result: unknown
  error: string | null
}

/** Why a session was ended from outside (seed 002 and 004 name the first two). */
export type CancelReason =
  | 'device_disconnected'
  | 'constellation_disconnected'
  | 'user_requested'
  | 'server_stopping'
  | 'transfer_cut'

/** How a session ends for each reason, and whether its requester is told. */
export const CANCELLATION: Readonly<
  Record<CancelReason, { status: 'failed' | 'cancelled'; error: string; tellRequester: boolean }>
> = {
  device_disconnected: { status: 'failed', error: errorText('DEVICE_DISCONNECTED'), tellRequester: true },
  constellation_disconnected: { status: 'cancelled', error: errorText('CLIENT_DISCONNECTED'), tellRequester: false },
  user_requested: { status: 'cancelled', error: errorText('USER_CANCELLED'), tellRequester: true },
  server_stopping: { status: 'failed', error: errorText('SERVER_STOPPING'), tellRequester: true },
  transfer_cut: {
    status: 'failed',
    error: errorText('TRANSFER_CUT', { detail: 'the connection for its bytes was lost, or nothing moved' }),
    tellRequester: false,
  },
}

/** A request in one line, as lists show it. */
export function describeWork(work: Work): string {
  switch (work.kind) {
    case 'words':
      return work.request
    case 'workflow':
      return Object.keys(work.inputs).length === 0
        ? `workflow:${work.name}`
        : `workflow:${work.name} ${JSON.stringify(work.inputs)}`
    case 'plan':
      return work.task
    case 'commands':
      return work.commands.map(describeCommand).join('; ')
  }
}

function describeCommand(command: Command): string {
  const line = `${command.tool_name} ${JSON.stringify(command.parameters ?? {})}`
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`
}
