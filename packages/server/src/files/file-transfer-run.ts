import {
  AIPProtocol,
  AipError,
  LIMITS,
  SilenceWatch,
  aipError,
  errorOfText,
  isAipError,
  messageOf,
  withTimeLimit,
  type Clock,
  type ErrorCode,
  type Logger,
  type Result,
  type Timer,
  type Transport,
} from '@orrery/aip'
import type { Owner } from '@orrery/aip/records'
import type { RunHere } from '../sessions/file-copier.js'
import type { SessionManager } from '../sessions/session-manager.js'
import type { Session } from '../sessions/session.js'
import { newTask, type CancelReason, type Outcome } from '../sessions/task.js'
import type { TransferTool } from '../sessions/transfer-tools.js'
import type { WaitingTransfer, WaitingTransfers } from './waiting-transfers.js'
import { isServerError, serverError, serverErrorOfText, type ServerErrorCode } from '../errors.js'

/** What a {@link FileTransferRun} works with. */
export interface FileTransferPorts {
  sessions: SessionManager
  waiting: WaitingTransfers
  clock: Clock
  logger: Logger
}

/** The session that a transfer is part of, when it is not one of its own. */
export interface Here {
  /** The id of the transfer. */
  transferId: string
  /** Runs the transfer tool as a command of that session. */
  run: RunHere
}

/** The run of a transfer tool. */
interface Started {
  sessionId: string
  /** How it ended; never rejects. */
  outcome: Promise<Outcome>
  cancel(reason: CancelReason): void
}

/** One call of a transfer tool; the id of the transfer is added to its parameters. */
export interface TransferCall {
  owner: Owner
  deviceId: string
  tool: TransferTool
  parameters: Record<string, unknown>
}

/** Errors that keep their code, and thus their HTTP status, when a session ends with them. */
const KEPT: readonly ErrorCode[] = [
  'POLICY_DENIED',
  'APPROVAL_DENIED',
  'PATH_OUTSIDE_ROOTS',
  'PATH_CLOSED',
  'PATH_KIND',
  'FILE_NOT_FOUND',
  'FILE_EXISTS',
  'FILE_CHANGED',
  'FILE_FAILED',
  'SIZE_MISMATCH',
  'CHECKSUM_MISMATCH',
  'INTERRUPTED',
  'TOOL_CANCELLED',
  'JOURNAL_FAILED',
  'DEVICE_DISCONNECTED',
]
const KEPT_OF_SERVER: readonly ServerErrorCode[] = ['USER_CANCELLED', 'SERVER_STOPPING']

/**
 * One file transfer: a session of one command, and the connection that its device opens for the bytes. Whatever ends one ends the
 * other, and the session always ends.
 */
export class FileTransferRun {
  /** How the session ended; never rejects. */
  readonly outcome: Promise<Outcome>
  readonly #ports: FileTransferPorts
  readonly #deviceId: string
  readonly #started: Started
  readonly #waiting: WaitingTransfer
  readonly #silence: SilenceWatch
  #transport: Transport | null = null
  /** Why this side ended it. */
  #reason: AipError | null = null
  #over = false
  /** Runs once the connection has ended: how long the device may take to report the outcome. */
  #lastWord: Timer | null = null

  private constructor(
    ports: FileTransferPorts,
    deviceId: string,
    started: Started,
    waiting: WaitingTransfer,
    signal: AbortSignal,
  ) {
    this.#ports = ports
    this.#deviceId = deviceId
    this.#started = started
    this.#waiting = waiting
    const seconds = LIMITS.transferSilence / 1000
    this.#silence = new SilenceWatch(ports.clock, LIMITS.transferSilence, () => this.end(cut(`nothing moved for ${seconds} s`)))
    const gone = (): void => this.end(serverError('CLIENT_DISCONNECTED'))
    signal.addEventListener('abort', gone, { once: true })
    this.outcome = started.outcome.finally(() => {
      this.#over = true
      waiting.close()
      this.#silence.stop()
      this.#lastWord?.cancel()
      signal.removeEventListener('abort', gone)
      this.#transport?.terminate()
    })
    if (signal.aborted) gone()
  }

  /**
   * Has a device send or receive a file.
   * @param signal aborted when the caller has gone; the transfer then ends
   * @param here default: in a session of its own, when the device has time for it
   * @returns the transfer, once the device has connected
   * @throws AipError what the device reports, `TIMEOUT` if it does not respond in time, or the reason why no session can start
   */
  static async begin(ports: FileTransferPorts, call: TransferCall, signal: AbortSignal, here?: Here): Promise<FileTransferRun> {
    const waiting = ports.waiting.open(call.deviceId, here?.transferId)
    const parameters = { ...call.parameters, transfer_id: waiting.id }
    const command = { tool_name: call.tool, parameters, tool_type: 'action' as const }
    let run: FileTransferRun
    try {
      if (here === undefined) {
        const { session } = await ports.sessions.executeTask(
          newTask(call.owner, call.deviceId, { kind: 'commands', commands: [{ ...command, call_id: null }] }),
        )
        run = new FileTransferRun(ports, call.deviceId, ofSession(ports.sessions, session), waiting, signal)
        ports.sessions.start(session)
      } else run = new FileTransferRun(ports, call.deviceId, ofCommand(here.run(command)), waiting, signal)
    } catch (error) {
      waiting.close()
      throw error
    }
    await run.#connect()
    return run
  }

  get sessionId(): string {
    return this.#started.sessionId
  }

  /** The connection for the bytes. */
  get aip(): AIPProtocol<'server'> {
    if (this.#transport === null) throw aipError('NOT_CONNECTED')
    const { clock, logger } = this.#ports
    return new AIPProtocol(this.#transport, { side: 'server', clock, logger })
  }

  /** Restarts the limit for silence: bytes have moved. */
  moved(): void {
    this.#silence.heard()
  }

  /** Ends the transfer, if it has not ended yet. */
  end(reason: AipError): void {
    if (this.#over || this.#reason !== null) return
    this.#reason = reason
    this.#waiting.close()
    this.#transport?.terminate()
    const left = isServerError(reason, 'CLIENT_DISCONNECTED')
    this.#started.cancel(left ? 'user_requested' : 'transfer_cut')
  }

  /** Confirms to the device that all its bytes have arrived, and waits for the session to end. */
  async taken(): Promise<void> {
    await this.#transport?.close(1000)
    await this.outcome
  }

  /**
   * Returns why the transfer failed: what ended it here, else what the device reports, for which it has a moment.
   * @param error the failure noticed here
   */
  async failure(error: unknown): Promise<AipError> {
    const lost = isAipError(error, 'CONNECTION_CLOSED', 'SEND_FAILED')
    // The device cannot explain anything else, such as a body that is cut off.
    if (!lost) this.end(error instanceof AipError ? error : cut(messageOf(error)))
    const outcome = await this.outcome
    return this.#reason ?? (outcome.status === 'completed' ? cut(messageOf(error)) : this.#errorOf(outcome))
  }

  async #connect(): Promise<void> {
    const { clock } = this.#ports
    const failed = this.outcome.then((outcome) => Promise.reject(this.#reason ?? this.#errorOf(outcome)))
    const limit = { clock, ms: LIMITS.transferStart, operation: `Waiting for device '${this.#deviceId}'` }
    try {
      this.#transport = await withTimeLimit(Promise.race([this.#waiting.connected, failed]), limit)
      this.#silence.heard()
      void this.#transport.closed.then(() => {
        if (this.#over) return
        this.#lastWord = clock.after(LIMITS.transferEnd, () => this.end(cut('the connection was lost')))
      })
    } catch (error) {
      if (error instanceof AipError) this.end(error)
      throw error
    }
  }

  /** Returns what the device reports about a failed transfer. */
  #errorOf({ error }: Outcome): AipError {
    const detail = error ?? 'the device did not say why'
    if (errorOfText(detail, ['TOOL_UNKNOWN'])) return serverError('TRANSFER_UNSUPPORTED', { id: this.#deviceId })
    return errorOfText(detail, KEPT) ?? serverErrorOfText(detail, KEPT_OF_SERVER) ?? serverError('TRANSFER_FAILED', { detail })
  }
}

function ofSession(sessions: SessionManager, session: Session): Started {
  const { sessionId } = session.task
  return {
    sessionId,
    outcome: sessions.live.ended(session),
    cancel: (reason) => void sessions.cancelTask(sessionId, reason),
  }
}

/** A command of a session ends by itself when its connection for the bytes has ended. */
function ofCommand(answered: Promise<Result>): Started {
  const outcome = answered.then(
    (answer): Outcome => ({
      status: answer.status === 'success' ? 'completed' : 'failed',
      result: [answer],
      error: answer.error,
    }),
    (error: unknown): Outcome => ({ status: 'failed', result: null, error: messageOf(error) }),
  )
  return { sessionId: '', outcome, cancel: () => {} }
}

function cut(detail: string): AipError {
  return aipError('TRANSFER_CUT', { detail })
}
