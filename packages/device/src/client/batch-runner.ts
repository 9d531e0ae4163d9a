import {
  LIMITS,
  commandOf,
  errorText,
  logError,
  messageOf,
  type CommandLike,
  type Logger,
  type Result,
  type TaskStatus,
} from '@orrery/aip'
import { outcome, type BatchControl } from '../computer/command-router.js'
import type { FailingPrograms } from '../computer/computer.js'
import { TaskLock } from '../computer/task-lock.js'
import type { Step, UFOClient } from '../computer/ufo-client.js'
import type { CommandJournal } from '../journal/command-journal.js'
import { runJournalled, type JournalHooks } from './journalled-batch.js'
import { RunningBatch, RunningBatches } from './running-batches.js'
import type { SessionSlot } from './session-slot.js'
import { deviceErrorText } from '../errors.js'

/** A batch as it arrives. */
export interface Batch extends Step {
  session_id: string | null
  response_id: string | null
  /** Who asked for it and for what, as the server says. */
  requested_by: string | null
  user_request: string | null
  /** Of the COMMAND; its answer repeats it. */
  status: TaskStatus
  /** Whether it only reads and runs beside the session that has the device. */
  concurrent: boolean
  /** What a program that ends with an error gives. */
  failingPrograms: FailingPrograms
}

/** The progress of a command. */
export interface ProgressReport {
  sessionId: string
  callId: string
  progress: number
  total?: number
  message?: string
}

/** Runs batches: one at a time, for one session at a time, and concurrent reads beside that. */
export class BatchRunner {
  readonly #client: UFOClient
  readonly #slot: SessionSlot
  readonly #logger: Logger
  readonly #running = new RunningBatches()
  readonly #reads = new TaskLock(LIMITS.concurrentBatches)
  readonly #journal: CommandJournal | null
  /** Batches that run now, by response id: a repeated one gets the results of the first. */
  readonly #inFlight = new Map<string, Promise<Result[]>>()

  /** @param journal null for a device that keeps none */
  constructor(client: UFOClient, slot: SessionSlot, logger: Logger, journal: CommandJournal | null) {
    this.#journal = journal
    this.#client = client
    this.#slot = slot
    this.#logger = logger
  }

  /** Runs a batch when it is its turn. @returns one result per command, whatever happens; never throws */
  run(batch: Batch, onProgress: (report: ProgressReport) => void): Promise<Result[]> {
    const { response_id: id } = batch
    if (id === null || this.#journal === null) return this.#run(batch, onProgress)
    const running = this.#inFlight.get(id) ?? this.#run(batch, onProgress).finally(() => this.#inFlight.delete(id))
    this.#inFlight.set(id, running)
    return running
  }

  /** Settles when nothing is running. */
  async idle(): Promise<void> {
    await Promise.all(this.#inFlight.values())
  }

  async #run(batch: Batch, onProgress: (report: ProgressReport) => void): Promise<Result[]> {
    const commands = batch.actions ?? []
    if (commands.length > LIMITS.actionsPerBatch) {
      return failAll(commands, errorText('TOO_MANY_ACTIONS', { limit: LIMITS.actionsPerBatch }))
    }
    // A concurrent read neither takes the device nor waits for the session that has it.
    if (!batch.concurrent && !this.#slot.take(batch.session_id)) {
      return failAll(commands, deviceErrorText('DEVICE_BUSY', { id: this.#slot.sessionId ?? 'unknown' }))
    }
    const end = batch.concurrent ? () => {} : this.#slot.begin()
    const lock = batch.concurrent ? this.#reads : this.#client.taskLock
    try {
      return await this.#running.track(new RunningBatch(batch.session_id, batch.response_id), (running) =>
        lock.run(() => this.#execute(batch, running, onProgress)),
      )
    } catch (error) {
      logError(this.#logger, '[WS] Error handling message', error)
      return failAll(commands, messageOf(error))
    } finally {
      end()
    }
  }

  /** Cancels batches or commands; see {@link RunningBatches.cancel}. */
  cancel(target: Parameters<RunningBatches['cancel']>[0] = {}): void {
    this.#running.cancel(target)
  }

  #execute(batch: Batch, running: RunningBatch, onProgress: (report: ProgressReport) => void): Promise<Result[]> {
    const { response_id: id, session_id, status } = batch
    if (this.#journal === null || id === null) return this.#step(batch, running, onProgress)
    const run = (hooks: JournalHooks): Promise<Result[]> => this.#step(batch, running, onProgress, hooks)
    return runJournalled(this.#journal, { session_id, response_id: id, status }, run, this.#logger)
  }

  #step(
    batch: Batch,
    running: RunningBatch,
    onProgress: (report: ProgressReport) => void,
    hooks: Partial<JournalHooks> = {},
  ): Promise<Result[]> {
    const control: BatchControl = {
      ...hooks,
      failingPrograms: batch.failingPrograms,
      sessionId: batch.session_id,
      requestedBy: batch.requested_by,
      task: batch.user_request,
      signal: running.signal,
      callSignal: (command) => running.callSignal(command),
      onProgress: (command, { progress, total, message }) => {
        if (batch.session_id === null || command.call_id === null) return
        onProgress({
          sessionId: batch.session_id,
          callId: command.call_id,
          progress,
          ...(total === undefined ? {} : { total }),
          ...(message === undefined ? {} : { message }),
        })
      },
    }
    if (batch.concurrent) return this.#client.executeReads(batch, control)
    if (this.#client.sessionId !== batch.session_id) this.#client.sessionId = batch.session_id
    return this.#client.executeStep(batch, control)
  }
}

function failAll(commands: readonly CommandLike[], error: string): Result[] {
  return commands.map((command) => outcome(commandOf(command), { status: 'failure', error }))
}
