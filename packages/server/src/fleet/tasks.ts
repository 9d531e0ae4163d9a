import { type Command, type Result } from '@orrery/aip'
import { hasEnded, type CommandInput, type CreateSession, type Session as SessionView } from '@orrery/aip/api'
import { Owner, RECORD_SCHEMAS, type Work } from '@orrery/aip/records'
import { WORKFLOW_NAME } from '@orrery/graph'
import type { z } from 'zod'
import type { ListedWorkflows, WorkflowLibrary } from '../agents/workflow/workflow-library.js'
import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import { ownerOf, requireRight, type Principal } from '../identity/principal.js'
import type { ModelAllowance } from '../sessions/model-allowance.js'
import type { Session } from '../sessions/session.js'
import type { SessionManager } from '../sessions/session-manager.js'
import { newTask, type Outcome, type Task, type WantedTask } from '../sessions/task.js'
import { isTaskName } from '../sessions/task-name.js'
import type { Waits } from '../sessions/waits.js'
import type { SessionStore } from '../store/session-store.js'
import { readRecord, viewOf } from '../store/session-view.js'
import type { FleetDevices } from './devices.js'
import { SERVER_LIMITS } from '../limits.js'
import { serverError } from '../errors.js'

/** What {@link FleetTasks} work on. */
export interface FleetTasksParts {
  clients: ClientConnectionManager
  devices: FleetDevices
  sessions: SessionManager
  waits: Waits
  store: SessionStore
  workflows: WorkflowLibrary
  allowance: ModelAllowance
}

/** Commands to run on a device. */
interface WantedCommands {
  commands: readonly z.output<typeof CommandInput>[]
  /** How long the device may take, in milliseconds. */
  timeoutMs?: number | undefined
  /** Beside the running session. */
  concurrent?: boolean | undefined
}

/** The outcome of commands. */
export interface CommandsRun {
  session_id: string
  status: Outcome['status']
  results: Result[]
  error: string | null
}

/** A client's task, accepted. */
export interface TakenTask {
  /** The session that is acknowledged. */
  sessionId: string
  /** Called once the acknowledgement is on its way. */
  begin: () => void
}

const Results = RECORD_SCHEMAS.results_received.shape.results

/** Work for devices. */
export class FleetTasks {
  readonly #clients: ClientConnectionManager
  readonly #devices: FleetDevices
  readonly #sessions: SessionManager
  readonly #waits: Waits
  readonly #store: SessionStore
  readonly #workflows: WorkflowLibrary
  readonly #allowance: ModelAllowance

  constructor({ clients, devices, sessions, waits, store, workflows, allowance }: FleetTasksParts) {
    this.#clients = clients
    this.#devices = devices
    this.#sessions = sessions
    this.#waits = waits
    this.#store = store
    this.#workflows = workflows
    this.#allowance = allowance
  }

  /** Lists the workflows that can be called by name, and the files that are none. */
  workflows(principal: Principal): Promise<ListedWorkflows> {
    requireRight(principal, 'read')
    return this.#workflows.list()
  }

  /**
   * Accepts a task that a client sends on its connection; it is recorded when this settles. A task that a device was asked to start, and
   * one that a client sends again, are not recorded again.
   * @throws AipError `SERVER_STOPPING`, `SESSION_OWNED`, `SESSION_RUNNING`, `QUEUE_FULL`, `MODEL_NOT_FOR_DEVICES` or `STORE_FAILED`
   */
  async takeFrom(principal: Principal, task: WantedTask): Promise<TakenTask> {
    requireRight(principal, 'run')
    const { clientId } = principal
    if (clientId !== null) {
      const assigned = principal.kind === 'device' ? this.#sessions.assignedTo(clientId, task.taskName) : undefined
      if (assigned !== undefined) return { sessionId: assigned.task.sessionId, begin: () => assigned.adoption.adopt() }
      const { delivery } = this.#sessions
      const ended = await delivery.repeated(task)
      if (ended !== undefined) return { sessionId: task.sessionId, begin: () => delivery.again(clientId, ended) }
    }
    const { session, repeated } = await this.#sessions.executeTask(principal.kind === 'device' ? this.#metered(task) : task)
    return { sessionId: session.task.sessionId, begin: () => void (repeated || this.#begin(session)) }
  }

  /**
   * Starts a session on a device that is online.
   * @throws AipError `EMPTY_REQUEST`, `INVALID_TASK_NAME`, `DEVICE_NOT_FOUND`, `DEVICE_OFFLINE`, what is wrong with a workflow, and as {@link takeFrom}
   */
  async start(principal: Principal, wanted: z.output<typeof CreateSession>): Promise<SessionView> {
    requireRight(principal, 'run')
    if (wanted.task_name !== undefined && !isTaskName(wanted.task_name)) throw serverError('INVALID_TASK_NAME')
    const work = await this.#workOf(wanted)
    this.#devices.requireOnline(principal, wanted.device_id)
    const more = wanted.task_name === undefined ? {} : { taskName: wanted.task_name }
    const session = await this.#run(principal, wanted.device_id, work, more)
    return this.#waits.viewOf(session)
  }

  /**
   * Runs commands on a device that is online, and waits for their results.
   * @param gone the caller has left: what has not begun, or waits for an approval, is cancelled; what has begun continues
   * @throws AipError as {@link start}
   */
  async run(principal: Principal, deviceId: string, wanted: WantedCommands, gone?: AbortSignal): Promise<CommandsRun> {
    requireRight(principal, 'run')
    this.#devices.requireOnline(principal, deviceId)
    const { session } = await this.#sessions.executeTask(newTask(ownerOf(principal), deviceId, commandsWork(wanted)))
    const ended = this.#begin(session)
    const left = (): void => {
      if (!this.#waits.hasBegun(session)) this.#sessions.cancelTask(session.task.sessionId, 'user_requested')
    }
    if (gone?.aborted === true) left()
    gone?.addEventListener('abort', left, { once: true })
    const { status, result, error } = await ended.finally(() => gone?.removeEventListener('abort', left))
    return { session_id: session.task.sessionId, status, results: Results.catch([]).parse(result ?? []), error }
  }

  /**
   * Has a device that is online start a task of its own (server reference, chapter 6).
   * @returns the session id
   * @throws AipError `CLIENT_NOT_ONLINE`, and as {@link start}
   */
  async dispatch(principal: Principal, deviceId: string, request: string, taskName: string): Promise<string> {
    requireRight(principal, 'run')
    if (!this.#clients.isDeviceConnected(deviceId)) throw serverError('CLIENT_NOT_ONLINE')
    const work = await this.#workflows.workOf(request)
    const session = await this.#run(principal, deviceId, work, { taskName, assigned: true })
    return session.task.sessionId
  }

  /**
   * Returns the newest session of a task name, if it has ended. One that a device asked for itself counts only while no other has this name: a
   * device cannot replace the result of another's task.
   */
  async result(principal: Principal, taskName: string): Promise<SessionView | undefined> {
    requireRight(principal, 'read')
    const [newest] = await this.#store.find({ askedName: taskName, limit: 1 })
    const runId = newest ?? (await this.#unlabelled(taskName))
    if (runId === undefined) return undefined
    const view = viewOf((await this.#store.wholeRecords(runId)).map(readRecord))
    return view !== undefined && hasEnded(view.status) ? view : undefined
  }

  /** Returns a session of this name where none has the label for what clients asked for: one that an older server recorded, else a device's own. */
  async #unlabelled(taskName: string): Promise<string | undefined> {
    const runs = await this.#store.find({ taskName, limit: SERVER_LIMITS.olderResults })
    for (const runId of runs) {
      const [accepted] = await this.#store.records(runId)
      if (Owner.safeParse(accepted?.data['owner']).data?.kind !== 'device') return runId
    }
    return runs[0]
  }

  /** Returns the work that a request in words, or the name of a workflow, asks for. @throws AipError what is wrong with a workflow or its inputs */
  workOf(request: string): Promise<Work> {
    return this.#workflows.workOf(request)
  }

  /** Counts a task of a device against what it may ask for, once it is to be recorded. */
  #metered(task: WantedTask): WantedTask {
    const { work: read, deviceId } = task
    const work = async (): Promise<Work> => {
      const found = typeof read === 'function' ? await read() : read
      this.#allowance.spend(deviceId, found)
      return found
    }
    return { ...task, work }
  }

  async #run(principal: Principal, deviceId: string, work: Work, more: Partial<Task>): Promise<Session> {
    const { session } = await this.#sessions.executeTask(newTask(ownerOf(principal), deviceId, work, more))
    void this.#begin(session)
    return session
  }

  /** Starts a recorded task as soon as its device is free. @returns its outcome */
  #begin(session: Session): Promise<Outcome> {
    const ended = this.#sessions.live.ended(session)
    this.#sessions.start(session)
    return ended
  }

  async #workOf({ commands, concurrent, workflow, file, inputs, request = '' }: z.output<typeof CreateSession>): Promise<Work> {
    if (commands !== undefined) return commandsWork({ commands, concurrent })
    // The text of a workflow has steps, so it is never a mere name.
    if (workflow !== undefined && WORKFLOW_NAME.test(workflow)) return this.#workflows.workOfName(workflow, inputs ?? {})
    if (workflow !== undefined) return this.#workflows.workOfSource(workflow, file ?? 'workflow', inputs ?? {})
    if (request.trim() === '') throw serverError('EMPTY_REQUEST')
    return this.#workflows.workOf(request)
  }
}

function commandsWork({ commands, timeoutMs, concurrent }: WantedCommands): Work {
  return {
    kind: 'commands',
    commands: commands.map(toCommand),
    ...(timeoutMs === undefined ? {} : { timeout_ms: timeoutMs }),
    ...(concurrent === true ? { concurrent } : {}),
  }
}

/** Converts a command of the API to its wire form. */
function toCommand({ tool_name, parameters, tool_type }: z.output<typeof CommandInput>): Command {
  return { tool_name, parameters: parameters ?? {}, tool_type: tool_type ?? null, call_id: null }
}
