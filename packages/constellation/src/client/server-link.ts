import {
  AIPProtocol,
  AipError,
  HeartbeatProtocol,
  LIMITS,
  PINGS_PER_SILENCE,
  RegistrationProtocol,
  agreementIn,
  aipError,
  messageOf,
  resumeWait,
  sleep,
  withTimeLimit,
  type Clock,
  type Logger,
  type OfferFields,
  type ServerMessage,
  type Transport,
} from '@orrery/aip'
import { CONSTELLATION_SOCKET, WebSocketTransport } from '@orrery/aip/node'

/** `connecting` covers the waits between attempts; `failed` means that no more attempts are made. */
export type LinkState = 'idle' | 'connecting' | 'connected' | 'failed' | 'closed'

/** What a {@link ServerLink} is built from. */
export interface LinkOptions {
  /** `ws://` or `wss://`, with the key as `?token=`. */
  url: string
  clientId: string
  /** The one device that the link is for; without it, tasks name their device. */
  targetId?: string | undefined
  /** What the registration says of this client. */
  metadata: Record<string, unknown>
  heartbeatS: number
  /** Milliseconds between two attempts, with a server that cannot resume sessions. */
  reconnectDelayMs: number
  /** Attempts in a row that may fail after the first. */
  maxRetries: number
  clock: Clock
  logger: Logger
  onState: (state: LinkState, reason: string | null) => void
  /** A message that answers nothing that was asked here: the end of a task. */
  onMessage: (message: ServerMessage) => void
  /** @param sessionIds the sessions that go on; null if the server cannot tell */
  onRegistered: (sessionIds: ReadonlySet<string> | null) => void
}

/** How long a server has for the acknowledgement of a task or for what it knows of a device, in milliseconds. */
const ANSWER_TIME = 30_000

interface Question {
  take: (message: ServerMessage) => boolean
  answered: PromiseWithResolvers<ServerMessage>
}

/** One connection to a server: made, registered, kept alive, and made again when it drops. */
export class ServerLink {
  state: LinkState = 'idle'
  /** Whether sessions of this link survive a lost connection. */
  resumes = false
  /** Whether the server is Orrery's own. */
  negotiates = false
  readonly clientId: string
  readonly #options: LinkOptions
  readonly #stopping = new AbortController()
  #aip: AIPProtocol<'client'> | null = null
  #transport: Transport | null = null
  #token: string | null = null
  /** Why the last attempt or the last connection came to its end. */
  #reason: string | null = null
  /** The reason that was told last. */
  #told: string | null = null
  #opened = Promise.withResolvers<void>()
  #running: Promise<void> | null = null
  /** The last of those who wait to ask something. */
  #line: Promise<unknown> = Promise.resolve()
  #question: Question | null = null

  constructor(options: LinkOptions) {
    this.clientId = options.clientId
    this.#options = options
    this.#opened.promise.catch(() => {})
  }

  /**
   * Settles once the link is registered; begins to connect if it has not, or has given up.
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
   * Settles when the link is registered, at once if it is now.
   * @throws AipError `NOT_CONNECTED` if it is not and no attempt is made, otherwise as {@link connect} does
   */
  ready(): Promise<void> {
    if (this.state === 'idle' || this.state === 'failed' || this.state === 'closed') {
      return Promise.reject(new AipError('NOT_CONNECTED', this.#reason ?? 'not connected'))
    }
    return this.#opened.promise
  }

  /**
   * Sends a message and waits for its answer. One question is asked at a time: an error of existing servers does not say what it
   * answers.
   * @param take whether a message is the answer
   * @throws AipError `REPORTED_BY_PEER` with the server's text, `TIMEOUT`, `CONNECTION_CLOSED` or `NOT_CONNECTED`
   */
  ask(send: (aip: AIPProtocol) => Promise<void>, take: (message: ServerMessage) => boolean): Promise<ServerMessage> {
    const answer = this.#line.then(() => this.#exchange(send, take))
    this.#line = answer.catch(() => {})
    return answer
  }

  /** Sends a message that has no answer. @throws AipError `NOT_CONNECTED` or that of the transport */
  async tell(send: (aip: AIPProtocol) => Promise<void>): Promise<void> {
    if (this.#aip === null) throw aipError('NOT_CONNECTED')
    await send(this.#aip)
  }

  /** Drops the connection, and with it its sessions on a server that cannot resume them; another one is made. */
  drop(): void {
    this.#transport?.close(1000).catch(() => {})
  }

  /** Ends the link. Settles when its connection is closed. */
  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#transport?.close(1000)
    await this.#running
    this.#enter('closed', 'the client was closed')
    this.#opened.reject(new AipError('NOT_CONNECTED', 'the client was closed'))
  }

  async #exchange(send: (aip: AIPProtocol) => Promise<void>, take: Question['take']): Promise<ServerMessage> {
    if (this.#aip === null) throw aipError('CONNECTION_CLOSED')
    const answered = Promise.withResolvers<ServerMessage>()
    answered.promise.catch(() => {})
    this.#question = { take, answered }
    try {
      await send(this.#aip)
      return await withTimeLimit(answered.promise, { clock: this.#options.clock, ms: ANSWER_TIME, operation: 'The request' })
    } finally {
      this.#question = null
    }
  }

  async #run(): Promise<void> {
    const { clock, maxRetries, reconnectDelayMs, logger } = this.#options
    const { signal } = this.#stopping
    if (this.state === 'failed') this.#reset()
    for (let failures = 0; !signal.aborted;) {
      this.#enter('connecting', this.#reason)
      try {
        await this.#open()
        failures = 0
        this.#reason = await this.#listen()
        this.#reset()
      } catch (error) {
        if (this.#isStopping()) return
        failures += 1
        this.#reason = messageOf(error)
        const hopeless = error instanceof AipError && error.code === 'UNAUTHORIZED'
        if (hopeless || (failures > maxRetries && !this.resumes)) {
          this.#enter('failed', this.#reason)
          return this.#opened.reject(error)
        }
      }
      if (this.#isStopping()) return
      const wait = this.resumes ? resumeWait() : reconnectDelayMs
      logger.warn(`[WS] ${this.#options.clientId}: ${this.#reason}; next attempt in ${wait / 1000} s`)
      this.#enter('connecting', this.#reason)
      await sleep(clock, wait, signal)
    }
  }

  /** Dials and registers. */
  async #open(): Promise<void> {
    const { url, clientId, targetId, heartbeatS, clock, logger } = this.#options
    const transport = await WebSocketTransport.connect(url, { ...CONSTELLATION_SOCKET, clock, signal: this.#stopping.signal })
    this.#transport = transport
    const aip = new AIPProtocol(transport, { side: 'client', clock, logger })
    try {
      const answer = new RegistrationProtocol(aip).register({
        clientId,
        clientType: 'constellation',
        targetId,
        metadata: { ...this.#options.metadata, aip: this.#offer() },
      })
      const outcome = await withTimeLimit(answer, { clock, ms: LIMITS.registrationTime, operation: 'The registration' })
      if (!outcome.accepted) throw new AipError('REGISTRATION_FAILED', `the server refused the registration: ${outcome.reason}`)
      this.#aip = aip
      new HeartbeatProtocol(aip).startHeartbeat(clientId, heartbeatS, 'constellation')
      this.#agree(outcome.confirmation.result)
    } catch (error) {
      void transport.close(1000)
      throw error
    }
  }

  #offer(): OfferFields {
    return { version: 1, features: ['resume'], ...(this.#token === null ? {} : { resume_token: this.#token }) }
  }

  #agree(result: unknown): void {
    const agreement = agreementIn(result)
    this.negotiates = agreement !== null
    this.resumes = agreement?.features.includes('resume') === true
    this.#token = agreement?.resume_token ?? null
    const silenceMs = agreement?.heartbeat_ms ?? LIMITS.resumeSilence
    if (this.resumes) this.#transport?.setKeepAlive(silenceMs / PINGS_PER_SILENCE, silenceMs)
    this.#enter('connected', null)
    const sessionIds = agreement?.session_ids
    this.#options.onRegistered(sessionIds ? new Set(sessionIds) : null)
    this.#opened.resolve()
  }

  /** Takes messages until the connection ends. @returns why it did */
  async #listen(): Promise<string> {
    const transport = this.#transport
    const aip = this.#aip
    if (transport === null || aip === null) throw aipError('NOT_CONNECTED')
    for (;;) {
      let frame: string | Uint8Array
      try {
        frame = await transport.receive()
      } catch {
        break
      }
      try {
        this.#route(await aip.readMessage(frame))
      } catch (error) {
        this.#options.logger.error(`[WS] Error handling message: ${messageOf(error)}`)
      }
    }
    const { code, reason } = await transport.closed
    return `the connection to the server was lost (${code}${reason === '' ? '' : ` ${reason}`})`
  }

  #route(message: ServerMessage): void {
    const question = this.#question
    if (message.type === 'error') {
      if (question === null) return this.#options.logger.error(`[WS] Server error: ${message.error}`)
      return question.answered.reject(aipError('REPORTED_BY_PEER', { text: message.error ?? 'Unknown error' }))
    }
    if (question?.take(message) === true) question.answered.resolve(message)
    if (message.type === 'task_end') this.#options.onMessage(message)
  }

  // A method, because TypeScript takes the signal for unchanged across an await.
  #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  /** From connected back to not connected. */
  #reset(): void {
    this.#aip = null
    this.#transport = null
    this.#opened = Promise.withResolvers()
    this.#opened.promise.catch(() => {})
    this.#question?.answered.reject(aipError('CONNECTION_CLOSED'))
  }

  #enter(state: LinkState, reason: string | null): void {
    if (this.state === state && this.#told === reason) return
    this.state = state
    this.#told = reason
    this.#options.onState(state, reason)
  }
}
