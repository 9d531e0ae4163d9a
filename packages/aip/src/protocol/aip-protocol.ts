import { systemClock, wireTime, type Clock } from '../clock.js'
import {
  buildMessage,
  decodeClientMessage,
  decodeServerMessage,
  frameOf,
  parseObject,
  type Decoded,
  type Dialect,
  type Fields,
  type Outgoing,
} from '../codec.js'
import { aipError, isAipError } from '../errors.js'
import { LIMITS } from '../limits.js'
import { logError, silentLogger, type Logger } from '../logger.js'
import type { MessageRecord } from '../messages/record.js'
import { clientError, heartbeat } from '../messages/to-server.js'
import type { ClientMessage } from '../messages/to-server.js'
import { serverError, taskAck, type ServerMessage } from '../messages/to-client.js'
import type { Transport } from '../transport/transport.js'

export type AnyMessage = ClientMessage | ServerMessage
/** The end of a connection, which decides what is read. */
export type Side = 'client' | 'server'
/** What each end reads. */
export type Incoming<S extends Side> = { client: ServerMessage; server: ClientMessage }[S]

/** Sees, and may replace, every message of a connection. */
export interface Middleware {
  /** Called in the order of registration. */
  outgoing?(outgoing: Outgoing): Outgoing | Promise<Outgoing>
  /** Called in the reverse order. */
  incoming?(message: AnyMessage): AnyMessage | Promise<AnyMessage>
}

export type MessageHandler = (message: AnyMessage) => void | Promise<void>

/** Reads messages that the codec refuses for their size. */
export interface LargeReader {
  /** @param refusal of the codec, which is thrown for what is not read here either */
  read(frame: string | Uint8Array, refusal: Error): Promise<Decoded<ClientMessage>>
}

export interface AIPProtocolOptions<S extends Side> {
  side: S
  /** The dialect of messages; `auto` follows the first frame that is read. Default `auto`. */
  dialect?: Dialect | 'auto'
  clock?: Clock
  logger?: Logger
  /** Reads what the codec refuses for its size. Default: nothing does. */
  largeReader?: LargeReader
}

/** One connection's messages: encodes, decodes, runs middleware. The five protocols speak through it. */
export class AIPProtocol<S extends Side = Side> {
  readonly transport: Transport
  readonly #side: S
  readonly clock: Clock
  readonly logger: Logger
  /** Largest text frame that the peer accepts, in bytes; it would close the connection on a larger one. */
  maxFrame: number = LIMITS.frame
  readonly #largeReader: LargeReader | null
  #dialect: Dialect | 'auto'
  readonly #middleware: Middleware[] = []
  /** Created on demand: a server has thousands of connections, and none of them has one. */
  #handlers: Map<string, MessageHandler[]> | null = null

  constructor(transport: Transport, options: AIPProtocolOptions<S>) {
    this.transport = transport
    this.#side = options.side
    this.clock = options.clock ?? systemClock
    this.logger = options.logger ?? silentLogger
    this.#largeReader = options.largeReader ?? null
    this.#dialect = options.dialect ?? 'auto'
  }

  /** The current dialect of messages. */
  get dialect(): Dialect {
    return this.#dialect === 'auto' ? 'wire' : this.#dialect
  }

  addMiddleware(middleware: Middleware): void {
    this.#middleware.push(middleware)
  }

  /** Adds a handler for {@link dispatchMessage}; several may be added for one type. */
  registerHandler(type: AnyMessage['type'], handler: MessageHandler): void {
    this.#handlers ??= new Map()
    this.#handlers.set(type, [...(this.#handlers.get(type) ?? []), handler])
  }

  /** Hands a message to its handlers. A handler's error is logged, never thrown. */
  async dispatchMessage(message: AnyMessage): Promise<void> {
    const handlers = this.#handlers?.get(message.type)
    if (handlers === undefined) return this.logger.warn(`No handler for message type: ${message.type}`)
    for (const handler of handlers) {
      try {
        await handler(message)
      } catch (error) {
        logError(this.logger, `Error in handler for ${message.type}`, error)
      }
    }
  }

  /**
   * Completes and sends a message.
   * @throws AipError `NOT_CONNECTED`, `CONNECTION_CLOSED`, `SEND_FAILED` or `MESSAGE_TOO_LARGE`
   */
  sendMessage<R extends MessageRecord>(record: R, fields: Fields<R>): Promise<void> {
    try {
      const outgoing: Outgoing = buildMessage(record, fields, this.clock.now())
      // Most connections have no middleware; each promise saved here is saved for every message.
      if (this.#middleware.length > 0) return this.#sendThrough(outgoing)
      return this.#send(outgoing)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Waits for the next message and decodes it.
   * @throws AipError `CONNECTION_CLOSED`, or `INVALID_MESSAGE` after which the next message can still be received
   */
  async receiveMessage(): Promise<Incoming<S>> {
    return this.readMessage(await this.transport.receive())
  }

  /**
   * Decodes one frame and runs the middleware.
   * @returns the message itself where there is no middleware and the frame is not large, which saves a promise
   * @throws AipError `INVALID_MESSAGE`, `MESSAGE_TOO_LARGE` or `TOO_MANY_VALUES`, at once or by the promise
   */
  readMessage(frame: string | Uint8Array): Incoming<S> | Promise<Incoming<S>> {
    try {
      return this.#accept(this.#side === 'server' ? decodeClientMessage(frame) : decodeServerMessage(frame))
    } catch (error) {
      if (this.#largeReader === null || !isAipError(error, 'MESSAGE_TOO_LARGE', 'TOO_MANY_VALUES')) throw error
      return this.#largeReader.read(frame, error).then((decoded) => this.#accept(decoded))
    }
  }

  #accept(decoded: Decoded<AnyMessage>): Incoming<S> | Promise<Incoming<S>> {
    if (this.#dialect === 'auto') this.#dialect = decoded.dialect
    if (this.#middleware.length > 0) return this.#readThrough(decoded.message)
    return decoded.message as Incoming<S>
  }

  async #sendThrough(message: Outgoing): Promise<void> {
    let outgoing = message
    for (const middleware of this.#middleware) outgoing = (await middleware.outgoing?.(outgoing)) ?? outgoing
    await this.#send(outgoing)
  }

  #send(outgoing: Outgoing): Promise<void> {
    const frame = frameOf(outgoing, this.dialect)
    // A character takes one to three bytes, so most messages need no check.
    if (frame.length > this.maxFrame / 3 && byteLength(frame) > this.maxFrame)
      throw aipError('MESSAGE_TOO_LARGE', { limit: this.maxFrame })
    return this.transport.send(frame, true)
  }

  async #readThrough(decoded: AnyMessage): Promise<Incoming<S>> {
    let message = decoded
    for (const middleware of this.#middleware.toReversed()) message = (await middleware.incoming?.(message)) ?? message
    return message as Incoming<S>
  }

  /** Reports an error to the peer. @param responseId default: a new one */
  sendError(text: string, responseId?: string): Promise<void> {
    if (this.#side === 'client') return this.sendMessage(clientError, { error: text })
    return this.sendMessage(serverError, { error: text, ...(responseId === undefined ? {} : { response_id: responseId }) })
  }

  /** Acknowledges; with a session id, a task. A client has only a heartbeat for that, and no response id. */
  sendAck(sessionId?: string, responseId?: string): Promise<void> {
    if (this.#side === 'client') return this.sendMessage(heartbeat, { session_id: sessionId ?? null })
    return this.sendMessage(taskAck, {
      session_id: sessionId ?? null,
      ...(responseId === undefined ? {} : { response_id: responseId }),
    })
  }

  /**
   * Sends data as a text frame that describes it and one binary frame (protocol reference, chapter 10).
   * @param metadata goes with it, e.g. `filename`, `mime_type`, `checksum`; `type`, `size` and `timestamp` are added
   */
  async sendBinaryMessage(data: Uint8Array, metadata: Record<string, unknown> = {}): Promise<void> {
    const header = { type: 'binary_data', size: data.byteLength, timestamp: wireTime(this.clock.now()), ...metadata }
    await this.transport.send(JSON.stringify(header))
    await this.transport.send(data)
  }

  /**
   * Waits for what {@link sendBinaryMessage} sends.
   * @throws AipError `INVALID_MESSAGE`, `BINARY_EXPECTED`, `SIZE_MISMATCH` or `CONNECTION_CLOSED`
   */
  async receiveBinaryMessage(): Promise<{ data: Uint8Array; metadata: Record<string, unknown> }> {
    const metadata = parseObject(await this.transport.receive())
    if (metadata['type'] !== 'binary_data') this.logger.warn(`Expected binary_data metadata, got: ${shown(metadata['type'])}`)
    const data = await this.transport.receive()
    if (typeof data === 'string') throw aipError('BINARY_EXPECTED')
    const size = metadata['size']
    if (typeof size === 'number' && size !== data.byteLength) {
      throw aipError('SIZE_MISMATCH', { expected: size, actual: data.byteLength })
    }
    return { data, metadata }
  }
}

function byteLength(frame: string | Uint8Array): number {
  return typeof frame === 'string' ? new TextEncoder().encode(frame).length : frame.length
}

/** Formats a value from a peer, which may be anything, for an error text. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What the five protocols share: a connection. Given a transport, they create their own {@link AIPProtocol} for the client side. */
export abstract class ProtocolPart {
  readonly aip: AIPProtocol

  constructor(carrier: Transport | AIPProtocol) {
    this.aip = carrier instanceof AIPProtocol ? carrier : new AIPProtocol(carrier, { side: 'client' })
  }

  /** The connection below. */
  get transport(): Transport {
    return this.aip.transport
  }
}
