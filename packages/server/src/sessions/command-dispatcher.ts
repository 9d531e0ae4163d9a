import { LIMITS, aipError, errorText, messageOf, type Clock, type Command, type Result, type Timer } from '@orrery/aip'
import type { ExecuteOptions } from '../agents/agent.js'
import type { RecordData } from '@orrery/aip/records'
import type { Batch } from './peers.js'
import type { PastBatch } from './restore.js'
import { failures, matchResults } from './results.js'
import type { SessionDevice } from './session-device.js'
import type { SessionLog } from './session-log.js'
import type { SessionSecrets } from './session-secrets.js'
import { askerOf, type Task } from './task.js'
import { unknownTools } from './unknown-tools.js'
import { serverError, serverErrorText } from '../errors.js'

interface Pending {
  batch: Batch
  /** The connection over which it was last sent; null if there was none. */
  sentOver: object | null
  sentAt: number
  resolve: (results: Result[]) => void
  reject: (error: Error) => void
  timer: Timer
}

/** What a {@link CommandDispatcher} is made of. */
export interface CommandDispatcherParts {
  task: Task
  log: SessionLog
  device: SessionDevice
  clock: Clock
  secrets: SessionSecrets
  /** Batches from before a restart. */
  past?: PastBatch[] | undefined
}

/** Sends the batches of one session and waits for their results. Every wait ends: with results, by timeout, or by {@link abort}. */
export class CommandDispatcher {
  readonly #task: Task
  readonly #log: SessionLog
  readonly #device: SessionDevice
  readonly #clock: Clock
  /** What its commands contain and its records do not. */
  readonly secrets: SessionSecrets
  readonly #pending = new Map<string, Pending>()
  /** Batches from before a restart that the agent has not requested again yet, in order. */
  readonly #past: PastBatch[]
  /** Results that are being recorded, by response id; each settles with whether that succeeded. */
  readonly #recording = new Map<string, Promise<boolean>>()
  /** Whether the agent has the tools listed itself, and so knows them. */
  #listsTools: boolean | null = null
  /** The connection over which the device was asked for its tools and listed none: there is nothing to compare with. */
  #unlisted: object | null = null
  #aborted: Error | null = null

  constructor({ task, log, device, clock, secrets, past = [] }: CommandDispatcherParts) {
    this.#task = task
    this.#log = log
    this.#device = device
    this.#clock = clock
    this.secrets = secrets
    this.#past = past
  }

  /**
   * Runs commands on the device, in order.
   * @returns one result per command, in the same order; a command that could not be sent or was not answered in time is a `failure`
   * @throws AipError `TOO_MANY_ACTIONS`, the reason of an abort, or `STORE_FAILED` if the batch cannot be recorded
   */
  async executeCommands(wanted: readonly Omit<Command, 'call_id'>[], options: ExecuteOptions = {}): Promise<Result[]> {
    this.#throwIfAborted()
    if (wanted.length > LIMITS.actionsPerBatch) throw aipError('TOO_MANY_ACTIONS', { limit: LIMITS.actionsPerBatch })
    const { commands, secrets } = this.secrets.taken(wanted)
    const past = this.#past.shift()
    if (past !== undefined) return this.#continue(past, commands, options)
    const { sessionId, taskName, work } = this.#task
    const batch: Batch = {
      sessionId,
      taskName,
      responseId: crypto.randomUUID(),
      agentName: options.agentName ?? this.#device.agentName,
      processName: options.processName ?? '',
      rootName: options.rootName ?? '',
      label: options.label === undefined ? null : this.secrets.masked(options.label),
      actions: commands.map(({ tool_name, parameters, tool_type }) => ({
        tool_name,
        parameters,
        tool_type,
        call_id: crypto.randomUUID(),
      })),
      secrets,
      asker: askerOf(this.#task),
      concurrent: work.kind === 'commands' && work.concurrent === true,
    }
    const refused = this.#mayRefuse(batch) ? await this.#refusal(batch) : null
    this.#throwIfAborted()
    await this.#log.record('commands_sent', sentData(batch))
    this.#throwIfAborted()
    if (refused !== null) {
      await this.#received(batch.responseId, refused, 0)
      return refused
    }
    return this.#sendAndWait(batch, options.timeoutMs ?? LIMITS.batchTime)
  }

  /** Returns whether a batch may name tools that the device does not have, and about which it would say nothing. */
  #mayRefuse({ actions, agentName, processName, rootName }: Batch): boolean {
    this.#listsTools ??= actions.every(({ tool_name }) => tool_name === 'list_tools')
    // The device was asked for the tools of its usual agent.
    const isUsual = agentName === this.#device.agentName && processName === '' && rootName === ''
    if (this.#listsTools || !isUsual || !this.#device.isSilentAboutTools) return false
    return this.#unlisted === null || this.#unlisted !== this.#device.connection
  }

  /** Returns the results of a batch that is not sent: it names tools that the device, an existing one, does not have. */
  async #refusal({ actions }: Batch): Promise<Result[] | null> {
    const { connection } = this.#device
    const tools = await this.#device.tools()
    if (tools !== null) return unknownTools(this.#device.id, actions, tools)
    this.#unlisted = connection
    return null
  }

  /** Answers from the log; a batch that was in flight is sent again with its ids if the device can handle that. */
  async #continue(past: PastBatch, commands: readonly Omit<Command, 'call_id'>[], options: ExecuteOptions): Promise<Result[]> {
    const { batch } = past
    const same = ({ tool_name, parameters }: Pick<Command, 'tool_name' | 'parameters'>): string =>
      JSON.stringify([tool_name, parameters])
    if (batch.actions.map(same).join() !== commands.map(same).join()) throw serverError('REPLAY_DIVERGED')
    const recording = this.#recording.get(batch.responseId)
    if (recording !== undefined) {
      await recording.catch(() => false)
      this.#throwIfAborted()
    }
    if (past.results !== null) return past.results
    if (this.#device.canResume) return this.#sendAndWait(batch, options.timeoutMs ?? LIMITS.batchTime)
    const results = failures(batch.actions, () => errorText('INTERRUPTED'))
    await this.#received(batch.responseId, results, 0)
    return results
  }

  /** Takes up a file transfer from before a restart: the device says what became of it, because nothing waits for its connection. */
  async continueTransfer(transferId: string): Promise<void> {
    const [next] = this.#past
    const [action] = next?.batch.actions ?? []
    if (next === undefined || action?.parameters?.['transfer_id'] !== transferId) return
    this.#past.shift()
    await this.#continue(next, next.batch.actions, {})
  }

  /** Sends the returned device what it has not answered, or gives that up if it could run twice. */
  resend(): void {
    for (const pending of this.#pending.values()) {
      const { batch } = pending
      if (pending.sentOver === this.#device.connection) continue
      if (this.#device.canResume) void this.#send(pending)
      else
        void this.#finish(
          batch.responseId,
          failures(batch.actions, () => errorText('INTERRUPTED')),
        )
    }
  }

  #sendAndWait(batch: Batch, timeoutMs: number): Promise<Result[]> {
    return new Promise((resolve, reject) => {
      const clock = this.#clock
      const timer = clock.after(timeoutMs, () => {
        const text = serverErrorText('COMMAND_TIMEOUT', { seconds: timeoutMs / 1000 })
        void this.#finish(
          batch.responseId,
          failures(batch.actions, () => text),
        )
      })
      const pending: Pending = { batch, sentOver: null, sentAt: clock.now(), resolve, reject, timer }
      this.#pending.set(batch.responseId, pending)
      void this.#send(pending)
    })
  }

  async #send(pending: Pending): Promise<void> {
    const { batch } = pending
    pending.sentOver = this.#device.connection
    try {
      await this.#device.send(
        batch.secrets.length === 0 ? batch : { ...batch, actions: await this.secrets.filled(batch.actions, batch.secrets) },
      )
    } catch (error) {
      const detail = messageOf(error)
      const textOf = (command: Command): string => serverErrorText('COMMAND_SEND_FAILED', { tool: command.tool_name, detail })
      await this.#finish(batch.responseId, failures(batch.actions, textOf))
    }
  }

  /**
   * Takes the results of a batch. The first answer wins; one that comes while it is being recorded settles after it.
   * @returns whether they are recorded; false if no such batch waits: it is unknown, already answered, or given up
   */
  async setResult(responseId: string, results: readonly Result[]): Promise<boolean> {
    const first = this.#recording.get(responseId)
    if (first !== undefined && (await first.catch(() => false))) return false
    const pending = this.#pending.get(responseId)
    const recording =
      pending === undefined
        ? this.#setPastResult(responseId, results)
        : this.#masked(results).then((masked) => this.#finish(responseId, matchResults(pending.batch.actions, masked)))
    this.#recording.set(responseId, recording)
    try {
      return await recording
    } finally {
      this.#recording.delete(responseId)
    }
  }

  /** Takes results for a batch that the agent of a continued session may not have reached yet. */
  async #setPastResult(responseId: string, results: readonly Result[]): Promise<boolean> {
    const past = this.#past.find(({ batch, results: known }) => batch.responseId === responseId && known === null)
    if (past === undefined) return false
    const matched = matchResults(past.batch.actions, await this.#masked(results))
    await this.#received(responseId, matched, 0)
    past.results = matched
    return true
  }

  /** Whether nothing can come until the device returns: it is offline, or a batch that waits was not sent over its current connection. */
  get isCutOff(): boolean {
    const { connection } = this.#device
    return connection === null || [...this.#pending.values()].some(({ sentOver }) => sentOver !== connection)
  }

  /** Returns whether a batch waits for its results. */
  awaits(responseId: string): boolean {
    return (
      this.#pending.has(responseId) || this.#past.some((past) => past.batch.responseId === responseId && past.results === null)
    )
  }

  /** Returns the tool of a running call, for progress reports. */
  toolOf(callId: string): string | undefined {
    for (const { batch } of this.#pending.values()) {
      const command = batch.actions.find((action) => action.call_id === callId)
      if (command !== undefined) return command.tool_name
    }
    return undefined
  }

  /** Ends every wait with `reason`, now and later. */
  abort(reason: Error): void {
    this.#aborted ??= reason
    for (const [responseId, pending] of this.#pending) {
      this.#pending.delete(responseId)
      pending.timer.cancel()
      pending.reject(reason)
    }
  }

  #received(responseId: string, results: Result[], durationMs: number): Promise<void> {
    return this.#log.record('results_received', { response_id: responseId, duration_ms: durationMs, results })
  }

  /** Returns results without the values of secrets. */
  async #masked(results: readonly Result[]): Promise<Result[]> {
    await this.secrets.ready()
    const masked = (each: Result): Result => ({
      ...each,
      error: this.secrets.masked(each.error),
      result: this.secrets.masked(each.result),
    })
    return results.map(masked)
  }

  #throwIfAborted(): void {
    if (this.#aborted !== null) throw this.#aborted
  }

  /** @returns whether the results are recorded */
  async #finish(responseId: string, results: Result[]): Promise<boolean> {
    const pending = this.#pending.get(responseId)
    if (pending === undefined) return false
    this.#pending.delete(responseId)
    pending.timer.cancel()
    try {
      await this.#received(responseId, results, this.#clock.now() - pending.sentAt)
      pending.resolve(results)
      return true
    } catch (error) {
      pending.reject(error instanceof Error ? error : new Error(messageOf(error)))
      return false
    }
  }
}

function sentData(batch: Batch): RecordData['commands_sent'] {
  return {
    response_id: batch.responseId,
    agent_name: batch.agentName,
    process_name: batch.processName,
    root_name: batch.rootName,
    label: batch.label,
    commands: batch.actions,
    ...(batch.secrets.length === 0 ? {} : { secrets: [...batch.secrets] }),
  }
}
