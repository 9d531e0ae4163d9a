import { z } from 'zod'
import { defineMessage, type MessageOf } from './record.js'
import { Command, TaskStatus, object, text } from './values.js'

/** The 14 fields of every message to a client, in the order of the wire. */
function fields<const T extends string>(type: T) {
  return {
    type: z.literal(type),
    status: TaskStatus,
    user_request: text,
    agent_name: text,
    process_name: text,
    root_name: text,
    actions: z.array(Command).nullable().default(null),
    messages: z.array(z.string()).nullable().default(null),
    error: text,
    session_id: text,
    task_name: text,
    timestamp: text,
    response_id: text,
    result: z.unknown().default(null),
  }
}

const both = ['device', 'constellation'] as const

export const registerConfirm = defineMessage({
  name: 'register_confirm',
  type: 'heartbeat',
  direction: 'to_client',
  roles: both,
  documented: ['REGISTER_CONFIRM', 'REGISTRATION_ACK'],
  documentedStatus: 'success',
  doc: 'Confirms a registration; result.aip answers the features that were offered.',
  schema: z.object(fields('heartbeat')),
})

export const heartbeatAck = defineMessage({
  name: 'heartbeat_ack',
  type: 'heartbeat',
  direction: 'to_client',
  roles: both,
  documented: ['HEARTBEAT_ACK', 'HEARTBEAT'],
  doc: 'Answers a heartbeat.',
  schema: z.object(fields('heartbeat')),
})

export const taskAck = defineMessage({
  name: 'task_ack',
  type: 'heartbeat',
  direction: 'to_client',
  roles: both,
  documented: ['ACK'],
  doc: 'The task is recorded; session_id names its session.',
  schema: z.object(fields('heartbeat')),
})

export const taskAssignment = defineMessage({
  name: 'task_assignment',
  type: 'task',
  direction: 'to_client',
  roles: ['device'],
  documented: ['TASK_ASSIGNMENT', 'TASK'],
  doc: 'Asks a device to start a dispatched task: it answers with its own task of the same task_name.',
  schema: z.object(fields('task')),
})

export const command = defineMessage({
  name: 'command',
  type: 'command',
  direction: 'to_client',
  roles: ['device'],
  leftOut: ['concurrent', 'requested_by'],
  documented: ['COMMAND'],
  doc: 'A batch of tool calls, to be run in order and answered by command_results. With concurrent: true, which is sent only to a device with that feature, it runs alongside the running session, and only trusted read-only tools run. A device that negotiates is also told in requested_by and user_request who asked for what, to show it to its owner.',
  schema: z.object({ ...fields('command'), concurrent: z.boolean().nullable().default(null), requested_by: text }),
})

export const taskEnd = defineMessage({
  name: 'task_end',
  type: 'task_end',
  direction: 'to_client',
  roles: both,
  documented: ['TASK_END'],
  doc: 'A session ended as completed (with result) or failed (with error).',
  schema: z.object(fields('task_end')),
})

export const deviceInfoResponse = defineMessage({
  name: 'device_info_response',
  type: 'device_info_response',
  direction: 'to_client',
  roles: ['constellation'],
  documented: ['DEVICE_INFO_RESPONSE'],
  doc: 'Answers device_info_request; response_id is the request_id, result the information or {error}.',
  schema: z.object(fields('device_info_response')),
})

export const deviceInfoQuery = defineMessage({
  name: 'device_info_query',
  type: 'device_info_request',
  direction: 'to_client',
  roles: ['device'],
  feature: 'info',
  documented: ['DEVICE_INFO_REQUEST'],
  doc: 'Asks a device what it is now; its next device_info_response is the answer.',
  schema: z.object(fields('device_info_request')),
})

export const serverError = defineMessage({
  name: 'server_error',
  type: 'error',
  direction: 'to_client',
  roles: both,
  documented: ['ERROR'],
  doc: 'The last message could not be handled; the connection stays open if it is registered.',
  schema: z.object(fields('error')),
})

export const cancel = defineMessage({
  name: 'cancel',
  type: 'cancel',
  direction: 'to_client',
  roles: ['device'],
  feature: 'cancel',
  documented: ['CANCEL'],
  doc: 'Ends running commands: one call, one batch, or all of a session.',
  schema: z.object({ ...fields('cancel'), call_id: text, reason: z.string() }),
})

export const resultsAck = defineMessage({
  name: 'results_ack',
  type: 'results_ack',
  direction: 'to_client',
  roles: ['device'],
  feature: 'journal',
  documented: ['RESULTS_ACK'],
  doc: 'The results of the batch response_id are recorded; the device need not send them again.',
  schema: z.object(fields('results_ack')),
})

export const answer = defineMessage({
  name: 'answer',
  type: 'answer',
  direction: 'to_client',
  roles: ['device'],
  feature: 'ask',
  documented: ['ANSWER'],
  doc: 'Decides an ask; digest is that of the ask, and an answer with another one does not count.',
  schema: z.object({
    ...fields('answer'),
    ask_id: z.string(),
    decision: z.enum(['allow', 'deny']),
    by: z.string(),
    digest: text,
    metadata: object,
  }),
})

export const openTerminal = defineMessage({
  name: 'open_terminal',
  type: 'open_terminal',
  direction: 'to_client',
  roles: ['device'],
  feature: 'terminal',
  documented: ['OPEN_TERMINAL'],
  doc: 'Asks a device to dial for an interactive terminal, as for a file transfer, at /ws/transfers/ and terminal_id, and to run a program in it if its policy allows that. metadata has program, args, cwd, columns, rows and term, as in the first message of an operator; requested_by says who asks, to show it to the owner.',
  schema: z.object({ ...fields('open_terminal'), terminal_id: z.string(), requested_by: text, metadata: object }),
})

export const sessionProgress = defineMessage({
  name: 'session_progress',
  type: 'progress',
  direction: 'to_client',
  roles: ['constellation'],
  feature: 'progress',
  documented: ['PROGRESS'],
  doc: 'The state of a running session has changed: it is paused because its device is away, or running again. error says why it is paused.',
  schema: z.object({ ...fields('progress'), state: z.enum(['paused', 'running']) }),
})

/** All messages to a client. */
export const TO_CLIENT = [
  registerConfirm,
  heartbeatAck,
  taskAck,
  taskAssignment,
  command,
  taskEnd,
  deviceInfoResponse,
  deviceInfoQuery,
  serverError,
  cancel,
  resultsAck,
  answer,
  openTerminal,
  sessionProgress,
] as const

/** A message to a client, discriminated by `type`. */
export type ServerMessage = MessageOf<(typeof TO_CLIENT)[number]>
export type ServerMessageType = ServerMessage['type']

/** The types of these messages by their names in the documents. */
export const ServerMessageType = {
  REGISTER_CONFIRM: 'heartbeat',
  REGISTRATION_ACK: 'heartbeat',
  HEARTBEAT: 'heartbeat',
  HEARTBEAT_ACK: 'heartbeat',
  TASK: 'task',
  TASK_ASSIGNMENT: 'task',
  COMMAND: 'command',
  TASK_END: 'task_end',
  DEVICE_INFO_REQUEST: 'device_info_request',
  DEVICE_INFO_RESPONSE: 'device_info_response',
  ERROR: 'error',
} as const satisfies Record<string, ServerMessage['type']>
