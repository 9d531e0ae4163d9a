import { AipError, LIMITS, logError, messageOf, sleep, type Clock, type Logger } from '@orrery/aip'
import type { Agent, AgentContext } from '../agents/agent.js'
import { Adoption } from './adoption.js'
import { CLEAN_UP_STEP, CleanUp } from './clean-up.js'
import { agentContext } from './agent-context.js'
import { CommandDispatcher } from './command-dispatcher.js'
import { Questions } from './questions.js'
import type { FileCopier } from './file-copier.js'
import type { PastSession } from './restore.js'
import type { SessionSecrets } from './session-secrets.js'
import type { SessionDevice } from './session-device.js'
import type { SessionLog } from './session-log.js'
import { Steps } from './steps.js'
import { CANCELLATION, describeWork, type CancelReason, type Outcome, type Task } from './task.js'
import { serverError } from '../errors.js'

/** What a {@link Session} is made of. */
export interface SessionParts {
  task: Task
  log: SessionLog
  device: SessionDevice
  secrets: SessionSecrets
  copier: FileCopier | undefined
  clock: Clock
  logger: Logger
  /** What the log knows about a session that is continued after a restart. */
  past?: PastSession | undefined
}

/** The run of one task: recorded step by step, ended exactly once. */
export class Session {
  readonly task: Task
  readonly log: SessionLog
  /** Its commands and their results. */
  readonly dispatcher: CommandDispatcher
  /** Its questions to the user. */
  readonly questions: Questions
  /** Whether its device has started an assigned task itself. */
  readonly adoption = new Adoption()
  readonly #device: SessionDevice
  readonly #copier: FileCopier | undefined
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #steps: Steps
  /** What users have added to the request. */
  readonly #remarks: string[]
  /** It had sent commands before the server was started. */
  readonly #begun: boolean
  readonly #abort = new AbortController()
  /** The last pause or resumption. */
  #presence: Promise<void> = Promise.resolve()
  /** Aborted when the session is released without an end. */
  readonly #detached = new AbortController()
  readonly #cleanUp = new CleanUp()
  #cancelled: CancelReason | null = null
  /** What runs it now. */
  #agent: Agent | null = null
  #agentName: string | null = null

  constructor({ task, log, device, secrets, copier, clock, logger, past }: SessionParts) {
    this.task = task
    this.log = log
    this.#device = device
    this.#copier = copier
    this.#clock = clock
    this.#logger = logger
    this.#steps = new Steps(log, past?.steps)
    this.#remarks = past?.remarks ?? []
    this.#begun = past !== undefined && past.batches.length > 0
    this.questions = new Questions(log, clock, this.#abort.signal, past?.questions)
    this.dispatcher = new CommandDispatcher({ task, log, device, secrets, clock, past: past?.batches })
  }

  /** Why the session is being ended from outside, if it is. */
  get cancelled(): CancelReason | null {
    return this.#cancelled
  }

  /** Whether it was released, and so has not ended. */
  get detached(): boolean {
    return this.#detached.signal.aborted
  }

  /** Whether it may run alongside its device's running session: it only reads, and the device supports that. */
  get concurrent(): boolean {
    const { work } = this.task
    return work.kind === 'commands' && work.concurrent === true && this.#device.runsBeside
  }

  /** Records the whole request. @throws AipError `STORE_FAILED` */
  async accept(): Promise<void> {
    const { sessionId, deviceId, taskName, owner, requestId, work, assigned } = this.task
    await this.log.record('accepted', {
      session_id: sessionId,
      device_id: deviceId,
      task_name: taskName,
      request: describeWork(work),
      owner,
      request_id: requestId,
      assigned,
      work,
    })
  }

  /**
   * Runs the task and records its end; until that is recorded, the session has not ended. Never throws.
   * @param agent undefined if no agent of the server can run this work
   */
  async run(agent: Agent | undefined): Promise<Outcome> {
    const outcome = this.dispatcher.secrets.masked(await this.#outcomeOf(agent))
    this.#agent = null
    this.#cleanUp.end()
    while (!this.detached) {
      try {
        await this.log.record('ended', { ...outcome, agent: this.#agentName })
        return outcome
      } catch (failure) {
        const { sessionId } = this.task
        this.#logger.error(`Session ${sessionId} ended as ${outcome.status}, but this cannot be recorded: ${messageOf(failure)}`)
        await sleep(this.#clock, LIMITS.recordRetry, this.#detached.signal)
      }
    }
    return outcome
  }

  /**
   * Ends the session from outside; its {@link run} settles within 2 s, or after the agent has cleaned up. Later reasons change nothing but that
   * they end the cleaning up.
   */
  cancel(reason: CancelReason): void {
    if (this.#cancelled !== null && !this.#cleanUp.runs) return
    if (this.#cancelled === null && this.#mayCleanUp(reason)) {
      this.#cancelled = reason
      this.#cleanUp.begin(this.#clock, () => this.cancel(reason))
      void this.#recordCleanUp(reason)
      return
    }
    this.#cleanUp.end()
    this.#cancelled ??= reason
    // What runs for a session that the next start of the server continues keeps running.
    if (!this.detached) this.#device.cancel(this.task.sessionId, reason)
    const error = CANCELLATION[reason].error()
    this.#abort.abort(error)
    this.dispatcher.abort(error)
  }

  /** Returns whether its agent has something to do first, and its device can end what runs and then do that. */
  #mayCleanUp(reason: CancelReason): boolean {
    if (this.detached || (reason !== 'user_requested' && reason !== 'constellation_disconnected')) return false
    return this.#device.cancels && this.#agent?.cleansUp?.(this.task.work) === true
  }

  /** Records that the session is cancelled, so that a restart does not continue it, and only then ends what runs. */
  async #recordCleanUp(reason: CancelReason): Promise<void> {
    try {
      await this.log.record('agent_step', { name: CLEAN_UP_STEP, value: { reason } })
      this.#device.cancel(this.task.sessionId, reason)
    } catch (error) {
      this.#logger.error(messageOf(error))
      this.cancel(reason)
    }
  }

  /** Releases the session without ending it: the log keeps it open for the next start of the server. */
  detach(): void {
    this.#detached.abort()
    this.cancel('server_stopping')
  }

  /** Pauses the session: its device is away and may return. */
  pause(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.log.view.status === 'running' && !this.log.closed)
        await this.log.record('paused', { reason: 'device_disconnected' })
    })
  }

  /** Continues the session with what its returned device has not answered, even if that cannot be recorded. */
  async resume(): Promise<void> {
    try {
      await this.#inTurn(() => this.#resumed())
    } finally {
      this.dispatcher.resend()
    }
  }

  /** Records what a user adds to the request. The agent gets it before its next step. @param by the principal's name */
  async remark(text: string, by: string): Promise<void> {
    await this.log.record('remark', { text, by })
    this.#remarks.push(text)
  }

  /** Runs pauses and resumptions one after the other: each looks at what the one before has recorded. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#presence.then(change)
    this.#presence = done.catch(() => {})
    return done
  }

  async #resumed(): Promise<void> {
    if (this.log.view.status === 'paused' && !this.log.closed) await this.log.record('resumed', {})
  }

  async #outcomeOf(agent: Agent | undefined): Promise<Outcome> {
    try {
      if (this.#cancelled === null) {
        if (agent === undefined) throw serverError('NO_AGENT')
        this.#agentName = agent.name
        this.#agent = agent
        if (this.log.view.status === 'paused') {
          // One that was open when the server started has waited for its device.
          await this.#resumed().catch((error: unknown) => this.#logger.error(messageOf(error)))
          this.#abort.signal.throwIfAborted()
        }
        this.log.began(agent.name)
        if (this.task.assigned && !this.#begun) {
          await this.adoption.wait(() => this.#device.assign(this.task), this.#clock, this.#abort.signal)
        }
        const { status, result, error } = await this.#untilCancelled(agent.run(this.#context()))
        if (this.#isCancelled() === null) return { status, result: result ?? null, error: error ?? null }
      }
    } catch (error) {
      if (this.#isCancelled() === null) {
        // An error of the tables is an outcome; any other is a defect of the agent.
        if (!(error instanceof AipError)) logError(this.#logger, `Agent of session ${this.task.sessionId} failed`, error)
        return { status: 'failed', result: null, error: messageOf(error) }
      }
    }
    const { status, error } = CANCELLATION[this.#isCancelled() ?? 'user_requested']
    return { status, result: null, error: error().message }
  }

  // A method, because TypeScript assumes that the field does not change across an await.
  #isCancelled(): CancelReason | null {
    return this.#cancelled
  }

  /** Returns the agent's outcome, or an error if a cancelled agent does not end in time. */
  #untilCancelled<T>(running: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      running.then(resolve, reject)
      this.#abort.signal.addEventListener('abort', () => {
        this.#clock.after(LIMITS.cancelGrace, () => reject(this.#abort.signal.reason))
      })
    })
  }

  #context(): AgentContext {
    return agentContext({
      task: this.task,
      log: this.log,
      device: this.#device,
      dispatcher: this.dispatcher,
      questions: this.questions,
      steps: this.#steps,
      secrets: this.dispatcher.secrets,
      copier: this.#copier,
      remarks: this.#remarks,
      clock: this.#clock,
      logger: this.#logger,
      signal: this.#abort.signal,
      stopping: this.#cleanUp.signal,
    })
  }
}
