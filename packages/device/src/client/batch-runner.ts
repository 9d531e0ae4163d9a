import { LIMITS, errorText, messageOf, type Command, type Logger, type Result } from '@orrery/aip'
import { outcome } from '../computer/command-router.js'
import type { Step, UFOClient } from '../computer/ufo-client.js'
import { RunningBatch, RunningBatches } from './running-batches.js'
import type { SessionSlot } from './session-slot.js'

/** A batch as it comes in. */
export interface Batch extends Step {
  session_id: string | null
  response_id: string | null
}

/** How far a command is. */
export interface ProgressReport {
  sessionId: string
  callId: string
  progress: number
  total?: number
  message?: string
}

/** Takes a batch in and gives its results: one batch at a time, for one session at a time. */
export class BatchRunner {
  readonly #client: UFOClient
  readonly #slot: SessionSlot
  readonly #logger: Logger
  readonly #running = new RunningBatches()

  constructor(client: UFOClient, slot: SessionSlot, logger: Logger) {
    this.#client = client
    this.#slot = slot
    this.#logger = logger
  }

  /** Runs a batch when it is its turn. @returns one result per command, whatever happens; never throws */
  async run(batch: Batch, onProgress: (report: ProgressReport) => void): Promise<Result[]> {
    const commands = batch.actions ?? []
    if (commands.length > LIMITS.actionsPerBatch) {
      return failAll(commands, errorText('TOO_MANY_ACTIONS', { limit: LIMITS.actionsPerBatch }))
    }
    if (!this.#slot.take(batch.session_id)) {
      return failAll(commands, errorText('DEVICE_BUSY', { id: this.#slot.sessionId ?? 'unknown' }))
    }
    const end = this.#slot.begin()
    try {
      return await this.#running.track(new RunningBatch(batch.session_id, batch.response_id), (running) =>
        this.#client.taskLock.run(() => this.#execute(batch, running, onProgress)),
      )
    } catch (error) {
      this.#logger.error(`[WS] Error handling message: ${messageOf(error)}`)
      return failAll(commands, messageOf(error))
    } finally {
      end()
    }
  }

  /** Ends what is asked for; see {@link RunningBatches.cancel}. */
  cancel(target: Parameters<RunningBatches['cancel']>[0] = {}): void {
    this.#running.cancel(target)
  }

  #execute(batch: Batch, running: RunningBatch, onProgress: (report: ProgressReport) => void): Promise<Result[]> {
    if (this.#client.sessionId !== batch.session_id) this.#client.sessionId = batch.session_id
    return this.#client.executeStep(batch, {
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
    })
  }
}

function failAll(commands: readonly Command[], error: string): Result[] {
  return commands.map((command) => outcome(command, { status: 'failure', error }))
}
