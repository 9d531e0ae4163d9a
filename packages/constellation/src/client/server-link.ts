import {
  isAipError,
  AipError,
  aipError,
  logError,
  messageOf,
  resumeWait,
  type AIPProtocol,
  type Clock,
  type Logger,
  type OfferFields,
  type ServerMessage,
} from '@orrery/aip'
import {
  CONSTELLATION_SOCKET,
  ReconnectingLink,
  heartbeatLoop,
  receiveAll,
  registerClient,
  type ServerTrust,
  type Down,
  type ServerConnection,
} from '@orrery/aip/node'
import { Questions } from './questions.js'

/** `connecting` includes the waits between attempts; `failed` means that no further attempts are made. */
export type LinkState = 'idle' | 'connecting' | 'connected' | 'failed' | 'closed'

/** What a {@link ServerLink} is built from. */
export interface LinkOptions {
  /** `ws://` or `wss://`, with the key as `?token=`. */
  url: string
  /** Which certificate of the server counts. */
  trust: ServerTrust | undefined
  clientId: string
  /** The only device of this link; without it, each task names its device. */
  targetId?: string | undefined
  /** What the registration says about this client. */
  metadata: Record<string, unknown>
  /** Whether sessions are to survive a lost connection where the server can do that. */
  resume: boolean
  heartbeatS: number
  /** Milliseconds between attempts, for a server that cannot resume sessions. */
  reconnectDelayMs: number
  /** Attempts in a row that may fail after the first. */
  maxRetries: number
  clock: Clock
  logger: Logger
  onState: (state: LinkState, reason: string | null) => void
  /** Called with a message that answers no question of this link: the end of a task, or a change of its state. */
  onMessage: (message: ServerMessage) => void
  /** @param sessionIds the sessions that continue; null if the server does not say */
  onRegistered: (sessionIds: ReadonlySet<string> | null) => void
}

/** A constellation's connection to one server, and the questions asked over it. */
export class ServerLink {
  state: LinkState = 'idle'
  /** Whether sessions of this link survive a lost connection. */
  resumes = false
  /** Whether the server is Orrery's own. */
  negotiates = false
  readonly clientId: string
  readonly #options: LinkOptions
  readonly #stopping = new AbortController()
  readonly #link: ReconnectingLink
  readonly #questions: Questions
  #token: string | null = null
  /** Failed attempts in a row. */
  #failures = 0
  /** Why the last attempt failed or the last connection ended. */
  #reason: string | null = null
  /** The last reason that was reported. */
  #reported: string | null = null
  #opened = Promise.withResolvers<void>()
  /** Whether `#opened` is fulfilled. */
  #isOpen = false
  #running: Promise<void> | null = null

  constructor(options: LinkOptions) {
    this.clientId = options.clientId
    this.#options = options
    this.#opened.promise.catch(() => {})
    const { url, trust, clientId, heartbeatS, clock, logger } = options
    this.#questions = new Questions(clock, () => this.#aip())
    this.#link = new ReconnectingLink({
      url,
      trust,
      socket: CONSTELLATION_SOCKET,
      clock,
      logger,
      signal: this.#stopping.signal,
      register: (connection) => this.#register(connection),
      listen: ({ transport }) => receiveAll(transport, (frame) => this.#receive(frame)),
      beat: ({ heartbeat }, signal) =>
        heartbeatLoop(heartbeat, { clientId, clientType: 'constellation', intervalS: heartbeatS, signal }),
      ended: () => this.#questions.fail(),
      retry: (down) => this.#retry(down),
    })
  }

  /**
   * Settles once the link is registered; starts connecting if it has not, or has given up.
   * @throws AipError `UNAUTHORIZED`, `REGISTRATION_FAILED` or `CONNECT_FAILED` with the reason of the last attempt
   */
  connect(): Promise<void> {
    if (this.state === 'closed') return Promise.reject(aipError('NOT_CONNECTED'))
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
    return this.#opened.promise
  }

  /**
   * Settles when the link is registered, which may be now.
   * @throws AipError `NOT_CONNECTED` if it is not and no attempt is being made, otherwise as {@link connect} does
   */
  ready(): Promise<void> {
    if (this.state === 'idle' || this.state === 'failed' || this.state === 'closed') {
      return Promise.reject(new AipError('NOT_CONNECTED', this.#reason ?? 'not connected'))
    }
    // The connection may be closing, which this link notices when it is closed.
    if (this.state === 'connected' && this.#aip() === null) this.#waitAgain()
    return this.#opened.promise
  }

  /** Sends a message and waits for its answer; see {@link Questions.ask}. */
  ask(send: (aip: AIPProtocol) => Promise<void>, take: (message: ServerMessage) => boolean): Promise<ServerMessage> {
    return this.#questions.ask(send, take)
  }

  /** Sends a message that has no answer. @throws AipError `NOT_CONNECTED`, or an error of the transport */
  async tell(send: (aip: AIPProtocol) => Promise<void>): Promise<void> {
    const aip = this.#aip()
    if (aip === null) throw aipError('NOT_CONNECTED')
    await send(aip)
  }

  /** Drops the connection, and with it its sessions on a server that cannot resume them; then reconnects. */
  drop(): void {
    this.#link.drop().catch(() => {})
  }

  /** Closes the link. Settles when its connection is closed. */
  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#link.drop()
    await this.#running
    this.#enter('closed', 'the client was closed')
    this.#opened.reject(new AipError('NOT_CONNECTED', 'the client was closed'))
  }

  /** The registered connection, if there is one. */
  #aip(): AIPProtocol | null {
    const { connection } = this.#link
    return this.state === 'connected' && connection?.transport.state === 'connected' ? connection.aip : null
  }

  async #run(): Promise<void> {
    if (this.state === 'failed') this.#waitAgain()
    this.#failures = 0
    this.#enter('connecting', this.#reason)
    await this.#link.run()
  }

  async #register(connection: ServerConnection): Promise<void> {
    const { clientId, targetId, metadata, onRegistered } = this.#options
    const identity = { clientId, clientType: 'constellation', targetId, metadata, offer: this.#offer() } as const
    const outcome = await registerClient(connection, identity)
    if (!outcome.accepted) throw new AipError('REGISTRATION_FAILED', `the server refused the registration: ${outcome.reason}`)
    const { agreement } = outcome
    this.negotiates = agreement !== null
    this.resumes = connection.features.has('resume')
    this.#token = agreement?.resume_token ?? null
    this.#failures = 0
    this.#enter('connected', null)
    const sessionIds = agreement?.session_ids
    onRegistered(sessionIds ? new Set(sessionIds) : null)
    this.#isOpen = true
    this.#opened.resolve()
  }

  #offer(): OfferFields {
    return {
      version: 1,
      features: this.#options.resume ? ['resume', 'progress'] : [],
      ...(this.#token === null ? {} : { resume_token: this.#token }),
    }
  }

  async #receive(frame: string | Uint8Array): Promise<void> {
    const { logger, onMessage } = this.#options
    try {
      const message = await this.#link.connection?.aip.readMessage(frame)
      if (message === undefined) return
      const answers = this.#questions.offer(message)
      if (message.type === 'error' && !answers) logger.error(`[WS] Server error: ${message.error}`)
      if (message.type === 'task_end' || message.type === 'progress') onMessage(message)
    } catch (error) {
      logError(logger, '[WS] Error handling message', error)
    }
  }

  /** Returns the wait before the next attempt in milliseconds; null after the last. */
  #retry({ error, closed }: Down): number | null {
    const { clientId, maxRetries, reconnectDelayMs, logger } = this.#options
    if (closed === null) {
      this.#failures += 1
      this.#reason = messageOf(error)
      const hopeless = isAipError(error, 'UNAUTHORIZED')
      if (hopeless || (this.#failures > maxRetries && !this.resumes)) {
        this.#enter('failed', this.#reason)
        this.#opened.reject(error)
        return null
      }
    } else {
      const { code, reason } = closed
      this.#reason = `the connection to the server was lost (${code}${reason === '' ? '' : ` ${reason}`})`
      this.#waitAgain()
    }
    const wait = this.resumes ? resumeWait() : reconnectDelayMs
    logger.warn(`[WS] ${clientId}: ${this.#reason}; next attempt in ${wait / 1000} s`)
    this.#enter('connecting', this.#reason)
    return wait
  }

  /** Makes callers that need the connection wait for the next one, unless they already do. */
  #waitAgain(): void {
    if (!this.#isOpen && this.state !== 'failed') return
    this.#isOpen = false
    this.#opened = Promise.withResolvers()
    this.#opened.promise.catch(() => {})
  }

  #enter(state: LinkState, reason: string | null): void {
    if (this.state === state && this.#reported === reason) return
    this.state = state
    this.#reported = reason
    this.#options.onState(state, reason)
  }
}
