import { z } from 'zod'
import { LIMITS } from '../limits.js'
import { defineMessage, type MessageOf } from './record.js'
import { ClientType, Result, TaskStatus, object, text } from './values.js'

/** A name that is kept, compared and repeated in answers. */
const requiredId = z.string().max(LIMITS.id)
const id = requiredId.nullable().default(null)

/** The 14 fields of every message to the server, in the order of the wire. */
function fields<const T extends string>(type: T) {
  return {
    type: z.literal(type),
    status: TaskStatus,
    client_type: ClientType.nullish().transform((value) => value ?? 'device'),
    session_id: id,
    task_name: id,
    client_id: text,
    target_id: id,
    request: text,
    action_results: z.array(Result).nullable().default(null),
    timestamp: text,
    request_id: id,
    prev_response_id: id,
    error: text,
    metadata: object,
  }
}

const both = ['device', 'constellation'] as const

export const register = defineMessage({
  name: 'register',
  type: 'register',
  direction: 'to_server',
  roles: both,
  documented: ['REGISTER', 'REGISTRATION'],
  doc: 'First message of a connection: who the client is; metadata has system_info, platform and registration_time.',
  schema: z.object(fields('register')),
})

export const heartbeat = defineMessage({
  name: 'heartbeat',
  type: 'heartbeat',
  direction: 'to_server',
  roles: both,
  documented: ['HEARTBEAT'],
  doc: 'Shows that the client is alive; answered by heartbeat_ack.',
  schema: z.object(fields('heartbeat')),
})

export const taskRequest = defineMessage({
  name: 'task_request',
  type: 'task',
  direction: 'to_server',
  roles: both,
  documented: ['TASK', 'TASK_REQUEST'],
  doc: 'Requests a task: a device for itself, a constellation for target_id; answered by task_ack and later by task_end.',
  schema: z.object(fields('task')),
})

export const clientTaskEnd = defineMessage({
  name: 'client_task_end',
  type: 'task_end',
  direction: 'to_server',
  roles: both,
  documented: ['TASK_END'],
  doc: 'Acknowledges a task_end; only clients with the feature resume send it.',
  schema: z.object(fields('task_end')),
})

export const commandResults = defineMessage({
  name: 'command_results',
  type: 'command_results',
  direction: 'to_server',
  roles: ['device'],
  documented: ['COMMAND_RESULTS'],
  doc: 'Answers a command: one result per action in the same order; prev_response_id is the response_id of the command.',
  schema: z.object(fields('command_results')),
})

export const deviceInfoRequest = defineMessage({
  name: 'device_info_request',
  type: 'device_info_request',
  direction: 'to_server',
  roles: ['constellation'],
  documented: ['DEVICE_INFO_REQUEST'],
  doc: 'Asks what the server knows about the device target_id; the answer carries request_id as its response_id.',
  schema: z.object(fields('device_info_request')),
})

export const deviceInfoPush = defineMessage({
  name: 'device_info_push',
  type: 'device_info_response',
  direction: 'to_server',
  roles: ['device'],
  documented: ['DEVICE_INFO_RESPONSE'],
  doc: 'Device information in metadata; the server stores it and does not answer. An Orrery device pushes its MCP servers and tools to an Orrery server, after registering and after changes.',
  schema: z.object(fields('device_info_response')),
})

export const clientError = defineMessage({
  name: 'client_error',
  type: 'error',
  direction: 'to_server',
  roles: both,
  documented: ['ERROR'],
  doc: 'Reports an error to the server, which logs it and sends it back as an error.',
  schema: z.object(fields('error')),
})

export const progress = defineMessage({
  name: 'progress',
  type: 'progress',
  direction: 'to_server',
  roles: ['device'],
  feature: 'progress',
  documented: ['PROGRESS'],
  doc: 'Reports the progress of a running command.',
  schema: z.object({
    ...fields('progress'),
    call_id: requiredId,
    progress: z.number(),
    total: z.number().nullable().default(null),
    message: text,
  }),
})

export const ask = defineMessage({
  name: 'ask',
  type: 'ask',
  direction: 'to_server',
  roles: ['device'],
  feature: 'ask',
  documented: ['ASK'],
  doc: 'Asks an approver whether exactly this command may run; without an answer by expires_at, it may not. summary is all that the answer allows, and digest is the SHA-256 of it with the tool and the hash of the arguments.',
  schema: z.object({
    ...fields('ask'),
    ask_id: requiredId,
    call_id: requiredId,
    tool: z.string().max(LIMITS.toolName),
    arguments_hash: requiredId,
    summary: z.string(),
    digest: text,
    expires_at: z.string(),
  }),
})

/** All messages to the server. */
export const TO_SERVER = [
  register,
  heartbeat,
  taskRequest,
  clientTaskEnd,
  commandResults,
  deviceInfoRequest,
  deviceInfoPush,
  clientError,
  progress,
  ask,
] as const

/** A message to the server, discriminated by `type`. */
export type ClientMessage = MessageOf<(typeof TO_SERVER)[number]>
export type ClientMessageType = ClientMessage['type']

/** The types of these messages by their names in the documents. */
export const ClientMessageType = {
  REGISTER: 'register',
  REGISTRATION: 'register',
  HEARTBEAT: 'heartbeat',
  TASK: 'task',
  TASK_REQUEST: 'task',
  COMMAND_RESULTS: 'command_results',
  TASK_END: 'task_end',
  DEVICE_INFO_REQUEST: 'device_info_request',
  DEVICE_INFO_RESPONSE: 'device_info_response',
  ERROR: 'error',
} as const satisfies Record<string, ClientMessage['type']>
