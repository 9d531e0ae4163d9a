import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { systemClock, type Timer } from '../clock.js'
import { AipError, messageOf } from '../define-errors.js'
import { aipError, errorText } from '../errors.js'
import { LIMITS } from '../limits.js'
import { Inbox } from '../transport/inbox.js'
import { cutReason } from './close-reason.js'
import { handshakeRefusal } from './own-refusal.js'
import { dialConnection } from './dial-connection.js'
import type { ServerTrust } from './server-trust.js'
import { tlsProblemOf, tlsProblemText } from '../tls-problem.js'
import type { Pace } from '../transport/pace.js'
import type { CloseInfo, Transport, TransportState } from '../transport/transport.js'
import { DEVICE_SOCKET, type WebSocketSettings } from './websocket-settings.js'

/** What {@link WebSocketTransport.send} gives for a frame that the system has taken at once. */
const SENT = Promise.resolve()
/** A longer frame is often not taken at once. Characters or bytes. */
const SHORT_FRAME = 8192
const NOTHING = new Uint8Array(0)

/** A transport over one WebSocket, for either end. */
export class WebSocketTransport implements Transport {
  state: TransportState
  readonly closed: Promise<CloseInfo>
  readonly #socket: WebSocket
  /** Shared by all connections of a server; what differs is beside it. */
  readonly #settings: WebSocketSettings
  #pingIntervalMs: number
  #pongTimeoutMs: number
  #maxUnsentBytes: number
  /** Waiters for a sign of life. */
  #heard: readonly (() => void)[] = []
  readonly #inbox: Inbox
  /** The connection below, which counts the bytes of incomplete messages too; null if unknown. */
  #tcp: Socket | null
  /** Its count at the last sign of life, or soon after; null until it is needed, because asking for it takes time. */
  #heardBytes: number | null = null
  #timer: Timer | null = null
  #closeTimer: Timer | null = null
  /** While it runs, nothing is read. */
  #restTimer: Timer | null = null
  #inboxFull = false
  #heardAt: number
  /** When the first ping since the last sign of life went out. */
  #askedAt: number | null = null
  /** The largest frame of those that are not sent yet. */
  #largestUnsent = 0
  /** Whether the peer was refused: nothing more of it is read. */
  #refused = false

  /**
   * @param socket an open or opening WebSocket; the transport owns it from now on
   * @param settings default: those of a device
   * @param tcp the connection below it: a large incoming message is a sign of life, because the answer to a ping waits behind it
   */
  constructor(socket: WebSocket, settings: WebSocketSettings = DEVICE_SOCKET, tcp: Socket | null = null) {
    this.#socket = socket
    this.#tcp = tcp
    this.#settings = settings
    this.#pingIntervalMs = settings.pingIntervalMs
    this.#pongTimeoutMs = settings.pongTimeoutMs
    this.#maxUnsentBytes = settings.maxUnsentBytes
    this.state = socket.readyState === WebSocket.OPEN ? 'connected' : 'connecting'
    this.#inbox = new Inbox((full) => {
      this.#inboxFull = full
      this.#settleReading()
    })
    this.#heardAt = this.#settings.clock.now()
    if (this.state === 'connecting')
      socket.once('open', () => {
        this.state = 'connected'
      })
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (this.#refused) return
      this.#hear()
      this.#inbox.put(isBinary || data.length > this.#settings.maxTextBytes ? data : data.toString())
    })
    socket.on('pong', () => this.#hear())
    // An error is always followed by 'close'; its code says what happened.
    socket.on('error', () => {
      this.state = 'error'
    })
    this.closed = new Promise((resolve) => {
      socket.on('close', (code: number, reason: Buffer) => {
        this.state = 'disconnected'
        this.#timer?.cancel()
        this.#closeTimer?.cancel()
        this.#restTimer?.cancel()
        this.#inbox.end()
        this.#account()
        this.#hear()
        resolve({ code, reason: reason.toString() })
      })
    })
    this.#ping()
  }

  /**
   * Dials a server.
   * @param url `ws://` or `wss://`
   * @param settings.trust which certificate of the server counts
   * @throws AipError `UNAUTHORIZED` if the server refuses the key, otherwise `CONNECT_FAILED` with the reason
   */
  static connect(
    url: string,
    settings: Partial<WebSocketSettings> & {
      headers?: Record<string, string>
      signal?: AbortSignal
      trust?: ServerTrust | undefined
    } = {},
  ): Promise<WebSocketTransport> {
    const { headers, signal, trust, ...rest } = settings
    const shown = withoutKey(url)
    return new Promise((resolve, reject) => {
      const fail = (detail: string, cause?: unknown): void => {
        const text = url === '' ? detail : detail.replaceAll(url, shown)
        reject(new AipError('CONNECT_FAILED', errorText('CONNECT_FAILED', { url: shown, detail: text }), { cause }))
      }
      const dialing = new AbortController()
      let socket: WebSocket
      try {
        socket = new WebSocket(url, {
          ...dialConnection(url, trust, dialing.signal),
          perMessageDeflate: false,
          maxPayload: rest.maxFrameBytes ?? LIMITS.frame,
          handshakeTimeout: LIMITS.registrationTime,
          closeTimeout: rest.closeTimeoutMs ?? DEVICE_SOCKET.closeTimeoutMs,
          ...(headers === undefined ? {} : { headers }),
        } as ConstructorParameters<typeof WebSocket>[2])
      } catch (error) {
        return fail(messageOf(error))
      }
      const transport = new WebSocketTransport(socket, { ...DEVICE_SOCKET, ...rest })
      const abort = (): void => socket.terminate()
      signal?.addEventListener('abort', abort, { once: true })
      // Until there is a connection, the time limit of the handshake does not count.
      const limit = (rest.clock ?? systemClock).after(LIMITS.registrationTime, () => dialing.abort())
      const settle = (): void => {
        limit.cancel()
        signal?.removeEventListener('abort', abort)
      }
      socket.once('upgrade', (response) => {
        transport.#tcp = response.socket
      })
      socket.once('open', () => {
        settle()
        resolve(transport)
      })
      socket.once('unexpected-response', (request, { statusCode, headers: answered }) => {
        request.destroy()
        const detail = `Unexpected server response: ${statusCode}`
        if (statusCode !== 401 && statusCode !== 403) return fail(detail)
        const { message } = aipError('CONNECT_FAILED', { url: shown, detail: `${detail} (the key is missing or wrong)` })
        reject(handshakeRefusal(message, answered['server']))
      })
      socket.once('error', (error: Error) => fail(connectProblem(error, url), error))
      socket.once('close', () => {
        settle()
        dialing.abort()
        fail('connection closed')
      })
      if (signal?.aborted) abort()
    })
  }

  send(frame: string | Uint8Array, isText = typeof frame === 'string'): Promise<void> {
    const socket = this.#socket
    if (this.state === 'connecting') return Promise.reject(aipError('NOT_CONNECTED'))
    if (socket.readyState !== WebSocket.OPEN) return Promise.reject(aipError('CONNECTION_CLOSED'))
    const { bufferedAmount } = socket
    if (bufferedAmount === 0) {
      this.#largestUnsent = 0
      if (this.#tcp !== null && frame.length <= SHORT_FRAME) return this.#sendShort(frame, isText, this.#tcp)
    }
    // A large frame may take long on a slow line; only what piles up behind it counts.
    else if (bufferedAmount - this.#largestUnsent > this.#maxUnsentBytes) {
      this.drop()
      return Promise.reject(aipError('SEND_FAILED', { detail: 'the peer takes its data too slowly' }))
    }
    return new Promise<void>((resolve, reject) => {
      socket.send(frame, { binary: !isText }, this.#settle(resolve, reject))
      this.#largestUnsent = Math.max(this.#largestUnsent, frame.length)
      this.#account()
    })
  }

  /** Sends a frame before which nothing waits: the system mostly takes it at once, which saves a promise and a callback. */
  #sendShort(frame: string | Uint8Array, isText: boolean, tcp: Socket): Promise<void> {
    this.#socket.send(frame, { binary: !isText })
    if (tcp.errored !== null) return Promise.reject(aipError('SEND_FAILED', { detail: messageOf(tcp.errored) }))
    if (this.#socket.bufferedAmount === 0) return SENT
    this.#largestUnsent = frame.length
    this.#account()
    return new Promise((resolve, reject) => tcp.write(NOTHING, this.#settle(resolve, reject)))
  }

  #settle(resolve: () => void, reject: (error: Error) => void): (error?: Error | null) => void {
    return (error) => {
      this.#account()
      if (error === undefined || error === null) resolve()
      else reject(aipError('SEND_FAILED', { detail: messageOf(error) }))
    }
  }

  /** Closes the connection of a peer that does not take its data, and drops it a second later. */
  drop(): void {
    this.#closeWithin(LIMITS.refusedConnection)
    void this.close(1013, 'too much unsent data')
  }

  setMaxUnsent(bytes: number): void {
    this.#maxUnsentBytes = bytes
  }

  receive(): Promise<string | Uint8Array> {
    return this.#inbox.take()
  }

  deliverTo(deliver: (frame: string | Uint8Array) => void, pace?: Pace): Promise<CloseInfo> {
    this.#inbox.deliverTo(deliver, pace)
    return this.closed
  }

  async close(code = 1000, reason = ''): Promise<void> {
    if (this.state === 'connected') this.state = 'disconnecting'
    this.#socket.resume()
    this.#socket.close(code, cutReason(reason))
    const { clock, closeTimeoutMs } = this.#settings
    if (this.state !== 'disconnected') this.#closeTimer ??= clock.after(closeTimeoutMs, () => this.terminate())
    await this.closed
  }

  /** Reads nothing for this long, in milliseconds, and then continues. Does nothing while it rests already. */
  rest(ms: number): void {
    this.#restTimer ??= this.#settings.clock.after(ms, () => {
      this.#restTimer = null
      this.#settleReading()
    })
    this.#settleReading()
  }

  refuse(code: number, reason: string): void {
    if (this.#refused) return
    this.#refused = true
    this.#closeWithin(LIMITS.refusedConnection)
    void this.close(code, reason)
    // What is still on its way is read and dropped: unread data would turn the close frame into a reset.
    this.#tcp?.removeAllListeners('data').resume().end()
  }

  async isAlive(timeoutMs: number): Promise<boolean> {
    if (!this.#isOpen()) return false
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const heard = (): void => resolve(true)
    const timer = this.#settings.clock.after(timeoutMs, () => resolve(false))
    this.#heard = [...this.#heard, heard]
    this.#socket.ping()
    const alive = await promise
    timer.cancel()
    this.#heard = this.#heard.filter((other) => other !== heard)
    // A connection that ended has been heard of too.
    return alive && this.#isOpen()
  }

  setKeepAlive(intervalMs: number, timeoutMs: number): void {
    this.#pingIntervalMs = intervalMs
    this.#pongTimeoutMs = timeoutMs
    this.#timer?.cancel()
    this.#ping()
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #settleReading(): void {
    const socket = this.#socket
    if (socket.readyState !== WebSocket.OPEN) return
    if (this.#inboxFull || this.#restTimer !== null) socket.pause()
    else socket.resume()
  }

  #account(): void {
    this.#settings.budget?.holds(this, this.state === 'disconnected' ? 0 : this.#socket.bufferedAmount)
  }

  #closeWithin(ms: number): void {
    this.#closeTimer?.cancel()
    this.#closeTimer = this.#settings.clock.after(ms, () => this.terminate())
  }

  #isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN
  }

  #hear(): void {
    this.#heardAt = this.#settings.clock.now()
    this.#askedAt = null
    this.#heardBytes = null
    if (this.#heard.length > 0) for (const resolve of this.#heard) resolve()
  }

  #ping(): void {
    const { clock } = this.#settings
    const pingIntervalMs = this.#pingIntervalMs
    const due = Math.min(clock.now() + pingIntervalMs, Math.max(clock.now(), this.#deadline()))
    this.#timer = clock.after(due - clock.now(), () => {
      // A paused socket is not read, so its answers do not arrive. Nor can they by a process that was itself held up.
      if (this.#socket.isPaused || clock.now() - due > pingIntervalMs) this.#heardAt = clock.now()
      else if (this.#tcp !== null && this.#tcp.bytesRead > (this.#heardBytes ?? Infinity)) this.#hear()
      this.#heardBytes ??= this.#tcp?.bytesRead ?? null
      if (clock.now() >= this.#deadline()) return this.terminate()
      if (this.#isOpen()) this.#socket.ping()
      this.#askedAt ??= clock.now()
      this.#ping()
    })
  }

  /** When silence means that the connection is dead: only once the peer was asked and had the time of one ping to answer. */
  #deadline(): number {
    if (this.#askedAt === null) return Infinity
    return Math.max(this.#heardAt + this.#pongTimeoutMs, this.#askedAt + Math.min(this.#pingIntervalMs, this.#pongTimeoutMs))
  }
}

/** Describes a connection that was not made; the text of OpenSSL explains nothing to a user. */
function connectProblem(error: Error, url: string): string {
  const problem = tlsProblemOf(error)
  if (problem === 'not_tls') return tlsProblemText(problem)
  if (problem !== null) return `${tlsProblemText(problem)} (${messageOf(error)})`
  const mayBeTls = url.startsWith('ws:') && /^socket hang up$|ECONNRESET/.test(error.message)
  return `${messageOf(error)}${mayBeTls ? ': if it speaks TLS, its address begins with wss://' : ''}`
}

/** Removes the query of a URL, which holds the key, and its password. */
function withoutKey(url: string): string {
  return url.replace(/\?.*$/s, '').replace(/\/\/[^/]*@/, '//')
}
