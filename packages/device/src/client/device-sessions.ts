import { TaskStatus, logError, messageOf, type Agreement, type Clock, type Logger, type ServerMessage } from '@orrery/aip'
import type { UFOClient } from '../computer/ufo-client.js'
import type { CommandJournal } from '../journal/command-journal.js'
import type { Approvals, Ask } from '../policy/approvals.js'
import { BatchRunner } from './batch-runner.js'
import type { ServerConnection } from '@orrery/aip/node'
import { logText } from './log-text.js'
import { ProgressPacer } from './progress-pacer.js'
import { sendableResults } from './sendable-results.js'
import { SessionSlot } from './session-slot.js'
import { TaskRequests } from './task-requests.js'

/** A message of one type. */
type Received<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>

/** What {@link DeviceSessions} is built from. */
export interface DeviceSessionsOptions {
  ufoClient: UFOClient
  clock: Clock
  logger: Logger
  /** Null for a device that keeps none. */
  journal: CommandJournal | null
  /** Null for a device that never asks. */
  approvals: Approvals | null
  /** The current connection, if it is registered. */
  connection: () => ServerConnection | null
}

/** The sessions of a device, whatever connection they come over: their batches, their ends, and the tasks it asks for itself. */
export class DeviceSessions {
  readonly requests: TaskRequests
  /** The session of the last COMMAND. */
  lastSessionId: string | null = null
  readonly #client: UFOClient
  readonly #clock: Clock
  readonly #connection: DeviceSessionsOptions['connection']
  readonly #logger: Logger
  readonly #journal: CommandJournal | null
  readonly #approvals: Approvals | null
  readonly #slot: SessionSlot
  readonly #batches: BatchRunner
  #resumes = false

  constructor({ ufoClient, clock, logger, journal, approvals, connection }: DeviceSessionsOptions) {
    this.#client = ufoClient
    this.#clock = clock
    this.#connection = connection
    this.#logger = logger
    this.#journal = journal
    this.#approvals = approvals
    this.#slot = new SessionSlot(clock)
    this.#batches = new BatchRunner(ufoClient, this.#slot, logger, journal)
    this.requests = new TaskRequests(ufoClient, this.#slot, logger, connection)
  }

  /** Whether the server of the last registration resumes sessions. */
  get resumes(): boolean {
    return this.#resumes
  }

  /** Applies what the server has answered to a registration: features, the token for the next time, and which session continues. */
  async agree(connection: ServerConnection, agreement: Agreement | null): Promise<void> {
    const { features } = connection
    this.#approvals?.reachServer(features.has('ask') ? (ask) => this.#sendAsk(connection, ask) : null)
    const resumed = this.#resumes
    this.#resumes = this.#journal !== null && features.has('resume') && features.has('journal')
    // Another server may answer now, which does not know the session that was to continue.
    if (resumed && !this.#resumes) this.#endAll()
    if (!this.#resumes) return
    if (agreement?.resume_token) await this.#journal?.keepToken(agreement.resume_token)
    const before = this.#slot.sessionId
    if (this.#slot.keepOnly(agreement?.session_id ?? null)) {
      this.#batches.cancel({ sessionId: before })
      this.#reset()
    }
    this.inBackground(this.#sendAgain(connection))
  }

  /** Runs a batch and sends its results on the connection that it came over; with a journal those that cannot be sent wait for the next. */
  async runBatch(message: Received<'command'>, { tasks, transport, features }: ServerConnection): Promise<void> {
    const { clientId } = this.#client
    const concurrent = message.concurrent === true && features.has('concurrent')
    if (!concurrent) this.lastSessionId = message.session_id
    const progress = new ProgressPacer(this.#clock, (report) => {
      // The batch may continue over another connection than the one it came over.
      const now = this.#connection()
      if (now?.features.has('progress') === true) now.tasks.sendProgress({ ...report, clientId }).catch(() => {})
    })
    const failingPrograms = features.size === 0 ? 'success' : 'failure'
    const results = await this.#batches.run({ ...message, concurrent, failingPrograms }, (report) => progress.report(report))
    progress.flush()
    if (this.#resumes && transport.state !== 'connected') return
    await tasks.sendTaskResult({
      sessionId: message.session_id,
      prevResponseId: message.response_id,
      actionResults: sendableResults(results),
      status: message.status,
      clientId,
    })
    this.#logger.info(`[WS] [AIP] Sent client result for prev_response_id: ${message.response_id}`)
    if (concurrent) return
    if (message.status === 'completed' || message.status === 'failed') this.end(message)
  }

  /** Logs how a session ended and frees the device. */
  end(end: Pick<ServerMessage, 'session_id' | 'status' | 'result' | 'error'>): void {
    const { session_id: session, status } = end
    if (status === 'completed') this.#logger.info(`[WS] Task ${session} completed, result: ${logText(end.result)}`)
    else if (status === 'failed') this.#logger.info(`[WS] Task ${session} failed, with error: ${logText(end.error)}`)
    else this.#logger.warn(`[WS] Unknown task status for ${session}: ${status}`)
    if (!this.#slot.holds(session)) return
    this.#slot.release()
    this.#batches.cancel({ sessionId: session })
    this.#reset()
    this.inBackground(this.requests.next())
  }

  /** Ends what a server no longer wants. */
  cancel({ session_id, response_id, call_id, reason }: Received<'cancel'>): void {
    this.#logger.info(`[WS] Cancelling in session ${session_id}: ${logText(reason)}`)
    this.#batches.cancel({ sessionId: session_id, responseId: response_id, callId: call_id })
  }

  /** An ask was answered through the server. */
  answered({ ask_id: id, decision, by, digest }: Received<'answer'>): void {
    if (this.#approvals?.answer(id, { decision, by: `server: ${by}` }, digest) === true) return
    this.#logger.warn(
      `[WS] An answer to an ask that does not wait for the server, or to another call, was ignored: ${logText(id)}`,
    )
  }

  /** A task that was asked for has its session. */
  named(sessionId: string): void {
    this.#slot.name(sessionId)
  }

  /** The server reports an error. A task that it refused never gets a session, so it never gets an end. */
  refused(): void {
    if (this.#slot.sessionId !== null) return
    this.#slot.release()
    this.inBackground(this.requests.next())
  }

  /** The device is registered: what an existing server assigned over the connection before continues. */
  registered({ features }: ServerConnection): void {
    if (features.size > 0) this.requests.clear()
    else this.inBackground(this.requests.next())
  }

  /** The server has recorded the results of a batch. */
  async acknowledged(responseId: string | null): Promise<void> {
    if (responseId !== null) await this.#journal?.acknowledged(responseId)
  }

  /** The connection is gone: sessions end, unless the server resumes them. */
  dropped(): void {
    this.#approvals?.reachServer(null)
    if (!this.#resumes) this.#endAll()
  }

  /** The device stops: what runs is cancelled. Settles when its results are recorded. */
  async stop(): Promise<void> {
    this.#resumes = false
    this.requests.clear()
    this.#endAll()
    await this.#batches.idle()
  }

  /** Lets work continue in the background; its failure is logged. */
  inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => logError(this.#logger, '[WS] Error handling message', error))
  }

  #endAll(): void {
    this.#slot.release()
    this.#batches.cancel()
    this.#reset()
  }

  #reset(): void {
    this.inBackground(this.#client.taskLock.run(() => this.#client.reset()))
  }

  #sendAsk({ tasks }: ServerConnection, ask: Ask): void {
    tasks.sendAsk({ ...ask, clientId: this.#client.clientId }).catch((error: unknown) => this.#logger.warn(messageOf(error)))
  }

  /** Sends the results that the server has not acknowledged. */
  async #sendAgain({ tasks }: ServerConnection): Promise<void> {
    for (const batch of this.#journal?.unacknowledged() ?? []) {
      await tasks.sendTaskResult({
        sessionId: batch.session_id,
        prevResponseId: batch.response_id,
        actionResults: sendableResults(batch.results),
        status: TaskStatus.catch('continue').parse(batch.status),
        clientId: this.#client.clientId,
      })
    }
  }
}
