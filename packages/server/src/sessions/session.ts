import { LIMITS, aipError, isoTime, messageOf, sleep, type Clock, type Logger, type Result } from '@orrery/aip'
import type { RecordType, Session as SessionView } from '@orrery/aip/api'
import type { Agent, AgentContext } from '../agents/agent.js'
import { agentNameFor } from '../agents/wire-names.js'
import type { SessionLabels, SessionStore } from '../store/session-store.js'
import { Adoption } from './adoption.js'
import { CommandDispatcher, type DispatcherPort } from './command-dispatcher.js'
import type { EventHub } from './event-hub.js'
import { offeredTools } from './offered-tools.js'
import type { Batch, DevicePeer, Peers } from './peers.js'
import { Questions } from './questions.js'
import type { PastSession } from './restore.js'
import { applyRecord, newView, toEvent, viewOf } from './session-view.js'
import { Steps } from './steps.js'
import { CANCELLATION, describeWork, type CancelReason, type Outcome, type Task } from './task.js'

/** What every session of a server shares. */
export interface SessionEnvironment {
  store: SessionStore
  hub: EventHub
  peers: Peers
  clock: Clock
  logger: Logger
  /** Overrides the platform that devices register with. */
  platform?: string | undefined
  /** How long sessions wait for a device that can resume, in milliseconds. Default 120 s. */
  resumeGraceMs?: number | undefined
}

/** The run of one task: recorded step by step, ended exactly once. */
export class Session {
  readonly runId: string
  readonly task: Task
  readonly #env: SessionEnvironment
  readonly #dispatcher: CommandDispatcher
  readonly #abort = new AbortController()
  #view: SessionView | null = null
  #agentName: string | null = null
  #cancelled: CancelReason | null = null
  /** It has come to its end, which is being recorded: nothing may be recorded after that. */
  #over = false
  /** Aborted when the session is let go of without an end. */
  readonly #detached = new AbortController()
  /** It had sent commands before the server was started. */
  readonly #begun: boolean
  readonly #steps: Steps
  readonly #adoption = new Adoption()
  /** What users have added to the request. */
  readonly #remarks: string[]
  readonly #questions: Questions

  /** @param past what the log knows, for a session that goes on after a restart */
  constructor(task: Task, env: SessionEnvironment, past?: PastSession) {
    this.runId = past?.runId ?? crypto.randomUUID()
    this.task = task
    this.#env = env
    this.#view = past === undefined ? null : (viewOf(past.records) ?? null)
    this.#steps = new Steps(past?.steps ?? [], (name, value) => this.#record('agent_step', { name, value }))
    this.#remarks = past?.remarks ?? []
    this.#questions = new Questions(
      {
        sessionId: task.sessionId,
        clock: env.clock,
        signal: this.#abort.signal,
        record: (type, data) => this.#record(type, data),
      },
      past?.questions,
    )
    this.#begun = past !== undefined && past.batches.length > 0
    const port = {
      sessionId: task.sessionId,
      taskName: task.taskName,
      clock: env.clock,
      agentName: () => agentNameFor(this.#platform()),
      sent: (batch: Batch) => this.#sent(batch),
      received: (responseId: string, results: Result[], durationMs: number) =>
        this.#record('results_received', { response_id: responseId, duration_ms: durationMs, results }),
      send: (batch: Batch) => this.#send(batch),
      canSendAgain: () => this.#env.peers.canResume(task.deviceId),
    } satisfies DispatcherPort
    this.#dispatcher = new CommandDispatcher(port, past?.batches)
  }

  /** The session as the API shows it. @throws if it was not recorded yet */
  get view(): SessionView {
    if (this.#view === null) throw new Error(`session ${this.task.sessionId} is not recorded`)
    return this.#view
  }

  /** Why the session is being ended from outside, if it is. */
  get cancelled(): CancelReason | null {
    return this.#cancelled
  }

  /** Whether it was let go of, so that it has not ended for anybody. */
  get detached(): boolean {
    return this.#detached.signal.aborted
  }

  /** Records the whole request. @throws AipError `STORE_FAILED` */
  async accept(): Promise<void> {
    const { sessionId, deviceId, taskName, owner, requestId, work, assigned } = this.task
    const data = {
      session_id: sessionId,
      device_id: deviceId,
      task_name: taskName,
      request: describeWork(work),
      owner,
      request_id: requestId,
      assigned,
      work,
    }
    await this.#record('accepted', data, {
      session_id: sessionId,
      device_id: deviceId,
      task_name: taskName,
      status: 'accepted',
      ...(owner.resumes ? { awaited_by: owner.client_id } : {}),
    })
  }

  /**
   * Runs the task and records its end; while that cannot be recorded, the session has not ended. Never throws.
   * @param agent undefined if no agent of the server can run this work
   */
  async run(agent: Agent | undefined): Promise<Outcome> {
    const outcome = await this.#outcomeOf(agent)
    this.#over = true
    const { status, result, error } = outcome
    const { clock, logger } = this.#env
    while (!this.detached) {
      try {
        await this.#record('ended', { status, result, error, agent: this.#agentName }, { status })
        return outcome
      } catch (failure) {
        logger.error(`Session ${this.task.sessionId} ended as ${status}, but this cannot be recorded: ${messageOf(failure)}`)
        await sleep(clock, LIMITS.recordRetry, this.#detached.signal)
      }
    }
    return outcome
  }

  /** Ends the session from outside; its {@link run} settles within 2 s. Later reasons change nothing. */
  cancel(reason: CancelReason): void {
    if (this.#cancelled !== null) return
    this.#cancelled = reason
    const error = aipError(reason === 'device_disconnected' ? 'DEVICE_DISCONNECTED' : 'USER_CANCELLED')
    const device = this.#env.peers.device(this.task.deviceId)
    // What runs for a session that goes on after the next start goes on too.
    if (!this.detached && device?.features.has('cancel') === true) {
      device.sendCancel({ sessionId: this.task.sessionId, reason }).catch(() => {})
    }
    this.#abort.abort(error)
    this.#dispatcher.abort(error)
  }

  /** Lets go of the session without ending it: the log keeps it open, for the next start of the server. */
  detach(): void {
    this.#detached.abort()
    this.cancel('server_stopping')
  }

  /** The device is away and may come back: the session waits. */
  async pause(): Promise<void> {
    if (this.view.status === 'running' && !this.#over) await this.#record('paused', { reason: 'device_disconnected' })
  }

  /** The device is back: the session goes on with what the device has not answered. */
  async resume(): Promise<void> {
    if (this.view.status === 'paused' && !this.#over) await this.#record('resumed', {})
    this.#dispatcher.resend()
  }

  /** Whether the device was sent the task and has not answered with its own yet. */
  get awaitsAdoption(): boolean {
    return this.#adoption.isAwaited
  }

  /** The device took the assigned task up. */
  adopt(): void {
    this.#adoption.adopt()
  }

  /** Takes results of the device. @returns false if nothing waits for them */
  setResult(responseId: string, results: readonly Result[]): Promise<boolean> {
    return this.#dispatcher.setResult(responseId, results)
  }

  /** Records that a call waits for permission, or how that was answered. */
  recordApproval(data: Record<string, unknown>): Promise<void> {
    return this.#record('approval', data)
  }

  /** Records what a user adds to the request. The agent hears it before its next step. */
  async remark(text: string, by: string): Promise<void> {
    await this.#record('remark', { text, by })
    this.#remarks.push(text)
  }

  /** Takes the answer to the open question. @throws AipError `NO_QUESTION` if there is none, or not this one */
  answer(text: string, by: string, questionId?: string): Promise<void> {
    return this.#questions.answer(text, by, questionId)
  }

  /** Passes on how far a command is; it is not recorded. */
  reportProgress(report: { call_id: string; progress: number; total: number | null; message: string | null }): void {
    const tool = this.#dispatcher.toolOf(report.call_id)
    if (tool !== undefined) this.#emitProgress({ ...report, tool })
  }

  #emitProgress(data: Record<string, unknown>): void {
    const time = isoTime(this.#env.clock.now())
    this.#env.hub.emit(this.runId, { seq: null, session_id: this.task.sessionId, time, type: 'progress', data })
  }

  async #outcomeOf(agent: Agent | undefined): Promise<Outcome> {
    try {
      if (this.#cancelled === null) {
        if (agent === undefined) throw aipError('NO_AGENT')
        this.#agentName = agent.name
        Object.assign(this.view, { agent: agent.name, status: 'running' })
        this.view.started_at ??= isoTime(this.#env.clock.now())
        if (this.task.assigned && !this.#begun) await this.#assign()
        const { status, result, error } = await this.#untilCancelled(agent.run(this.#context()))
        if (this.#isCancelled() === null) return { status, result: result ?? null, error: error ?? null }
      }
    } catch (error) {
      if (this.#isCancelled() === null) return { status: 'failed', result: null, error: messageOf(error) }
    }
    const { status, error } = CANCELLATION[this.#isCancelled() ?? 'user_requested']
    return { status, result: null, error }
  }

  // A method, because TypeScript takes the field for unchanged across an await.
  #isCancelled(): CancelReason | null {
    return this.#cancelled
  }

  /** The agent's end, or an error when a cancelled agent does not end in time. */
  #untilCancelled<T>(running: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      running.then(resolve, reject)
      this.#abort.signal.addEventListener('abort', () => {
        this.#env.clock.after(LIMITS.cancelGrace, () => reject(aipError('USER_CANCELLED')))
      })
    })
  }

  /** Sends the device the task and waits until it answers with its own task of the same name. */
  #assign(): Promise<void> {
    const { sessionId, taskName, work } = this.task
    const send = async (): Promise<void> =>
      this.#device().sendTaskAssignment({ userRequest: describeWork(work), taskName, sessionId })
    return this.#adoption.wait(send, this.#env.clock, this.#abort.signal)
  }

  #context(): AgentContext {
    const execute: AgentContext['execute'] = (commands, options) => this.#dispatcher.executeCommands(commands, options)
    return {
      sessionId: this.task.sessionId,
      taskName: this.task.taskName,
      deviceId: this.task.deviceId,
      platform: this.#platform(),
      work: this.task.work,
      signal: this.#abort.signal,
      logger: this.#env.logger,
      execute,
      startedAt: Date.parse(this.view.started_at ?? this.view.created_at),
      remarks: () => this.#remarks,
      report: (message) => this.#emitProgress({ call_id: null, tool: null, progress: null, total: null, message }),
      ask: (question, ms) => this.#questions.ask(question, ms),
      listTools: async (toolType = 'action', options = {}) => {
        const list = { tool_name: 'list_tools', parameters: { tool_type: toolType }, tool_type: toolType }
        const [result] = await execute([list], options)
        if (result?.status !== 'success')
          throw aipError('AGENT_FAILED', { text: result?.error ?? 'the device did not list its tools' })
        return offeredTools(result.result, (tool) => this.#env.peers.addedArguments(this.task.deviceId, tool))
      },
      step: (name, decide) => this.#steps.take(name, decide),
      sleep: async (ms) => {
        await sleep(this.#env.clock, ms, this.#abort.signal)
        this.#abort.signal.throwIfAborted()
      },
    }
  }

  #platform(): string {
    return this.#env.platform ?? this.#env.peers.device(this.task.deviceId)?.platform ?? 'linux'
  }

  #device(): DevicePeer {
    const device = this.#env.peers.device(this.task.deviceId)
    if (device === undefined) throw aipError('DEVICE_OFFLINE', { id: this.task.deviceId })
    return device
  }

  /** A device that can resume and is away gets the batch when it is back. */
  async #send(batch: Batch): Promise<void> {
    const { peers } = this.#env
    const { deviceId } = this.task
    try {
      await this.#device().sendCommands(batch)
    } catch (error) {
      if (!peers.canResume(deviceId)) throw error
    }
  }

  #sent(batch: Batch): Promise<void> {
    return this.#record('commands_sent', {
      response_id: batch.responseId,
      agent_name: batch.agentName,
      process_name: batch.processName,
      root_name: batch.rootName,
      label: batch.label,
      commands: batch.actions,
    })
  }

  async #record(type: RecordType, data: Record<string, unknown>, labels?: Partial<SessionLabels>): Promise<void> {
    const { store, hub } = this.#env
    const record = await store.append(this.runId, type, data, labels)
    // The log may hold references to large values; the session itself goes on with the values.
    if (this.#view === null) this.#view = newView(record)
    else applyRecord(this.#view, { ...record, data })
    hub.emit(this.runId, toEvent(record, this.task.sessionId))
  }
}
