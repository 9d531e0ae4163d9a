import { aipError, shortened, type AipError, type Command } from '@orrery/aip'
import type { Owner, Work } from '@orrery/aip/records'
import { serverError } from '../errors.js'
import { SERVER_LIMITS } from '../limits.js'

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
}

/** A task whose work may still have to be read, as that of a workflow by its name; rejects with what is wrong with it. */
export interface WantedTask extends Omit<Task, 'work'> {
  work: Work | (() => Promise<Work>)
}

/** Makes a task with new ids, which no client can repeat. */
export function newTask(owner: Owner, deviceId: string, work: Work, more: Partial<Task> = {}): Task {
  return {
    sessionId: crypto.randomUUID(),
    taskName: crypto.randomUUID(),
    deviceId,
    owner,
    requestId: null,
    work,
    assigned: false,
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

/** Why a session was ended from outside (seeds 002 and 004 name the first two). */
export type CancelReason =
  | 'device_disconnected'
  | 'constellation_disconnected'
  | 'user_requested'
  | 'server_stopping'
  | 'transfer_cut'

/** For each reason, how a session ends, the error for its agent, and whether the end is reported to its requester. */
export const CANCELLATION: Readonly<
  Record<CancelReason, { status: 'failed' | 'cancelled'; error: () => AipError; tellRequester: boolean }>
> = {
  device_disconnected: { status: 'failed', error: () => aipError('DEVICE_DISCONNECTED'), tellRequester: true },
  constellation_disconnected: { status: 'cancelled', error: () => serverError('CLIENT_DISCONNECTED'), tellRequester: false },
  user_requested: { status: 'cancelled', error: () => serverError('USER_CANCELLED'), tellRequester: true },
  server_stopping: { status: 'failed', error: () => serverError('SERVER_STOPPING'), tellRequester: true },
  transfer_cut: {
    status: 'failed',
    error: () => aipError('TRANSFER_CUT', { detail: 'the connection for its bytes was lost, or nothing moved' }),
    tellRequester: false,
  },
}

/** Returns a request in one line, as lists show it. */
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

function describeCommand({ tool_name: tool, parameters }: Command): string {
  const { program, args } = parameters ?? {}
  // A program as one would type it.
  const words =
    typeof program === 'string' && Array.isArray(args) ? [program, ...args].join(' ') : JSON.stringify(parameters ?? {})
  return shortened(`${tool} ${words}`, 200)
}

/** Returns who asked for a task, and what for, shortened: what the owner of its device is shown. */
export function askerOf({ owner, work }: Pick<Task, 'owner' | 'work'>): { by: string; request: string } {
  const by = owner.client_id === null ? owner.kind : `${owner.kind} ${owner.client_id}`
  return { by, request: shortened(describeWork(work), SERVER_LIMITS.shownRequest) }
}
