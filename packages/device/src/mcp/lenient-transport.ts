import type { JSONRPCMessage, RequestId, Transport, TransportSendOptions } from '@modelcontextprotocol/client'
import type { Clock } from '@orrery/aip'
import { DEVICE_LIMITS } from '../limits.js'
import type { AnswerMender } from './mend-answers.js'

/** The code of an answer that the server did not give (JSON-RPC 2.0: implementation-defined server errors). */
const LOST = -32_000

/** What a {@link LenientTransport} works with. */
export interface LenientOptions {
  mender: AnswerMender
  clock: Clock
  /**
   * Sends a request in place of the transport. Over HTTP each request has an answer of its own.
   * @returns whether that has ended: if it held no result, none will come
   */
  exchange?: (message: JSONRPCMessage, options: TransportSendOptions) => Promise<boolean>
}

/** Stands between the SDK and a server: mends what it answers, and ends requests that will never be answered. */
export class LenientTransport implements Transport {
  onmessage?: Transport['onmessage']
  onerror?: ((error: Error) => void) | undefined
  onclose?: (() => void) | undefined
  readonly hasPerRequestStream: boolean
  readonly #inner: Transport
  readonly #options: LenientOptions
  /** The method of each request that waits. */
  readonly #waiting = new Map<RequestId, string>()

  constructor(inner: Transport, options: LenientOptions) {
    this.#inner = inner
    this.#options = options
    this.hasPerRequestStream = inner.hasPerRequestStream === true
    // The SDK has no event targets; these are its hooks.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    inner.onmessage = (message, extra) => this.onmessage?.(this.#mended(message), extra)
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    inner.onerror = (error) => this.onerror?.(error)
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    inner.onclose = () => this.onclose?.()
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId
  }

  start(): Promise<void> {
    return this.#inner.start()
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (!('method' in message) || !('id' in message)) return this.#inner.send(message, options)
    const { id, method } = message
    this.#waiting.set(id, method)
    const { exchange } = this.#options
    try {
      if (exchange === undefined) return await this.#inner.send(message, options)
      const onRequestStreamEnd = (): void => {
        options?.onRequestStreamEnd?.()
        this.#lose(id)
      }
      if (await exchange(message, { ...options, onRequestStreamEnd })) this.#lose(id)
    } catch (error) {
      this.#waiting.delete(id)
      throw error
    }
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion?.(version)
  }

  setSupportedProtocolVersions(versions: string[]): void {
    this.#inner.setSupportedProtocolVersions?.(versions)
  }

  /** A message of the server could not be read: if it names a request that waits, that is answered with an error. */
  unreadable(id: unknown, reason: string): void {
    if ((typeof id === 'string' || typeof id === 'number') && this.#waiting.has(id)) this.#fail(id, reason)
  }

  #mended<T extends JSONRPCMessage>(message: T): T {
    if (!('id' in message) || 'method' in message || message.id === undefined) return message
    const method = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (method === undefined || !('result' in message)) return message
    return { ...message, result: this.#options.mender.mend(method, message.result) }
  }

  /** Nothing more comes on the answer to this request. What has arrived may still be on its way through the SDK. */
  #lose(id: RequestId): void {
    if (!this.#waiting.has(id)) return
    this.#options.clock.after(DEVICE_LIMITS.mcpLostAnswer, () =>
      this.#fail(id, 'the server ended its answer without a result; whether the tool has run is not known'),
    )
  }

  #fail(id: RequestId, reason: string): void {
    if (!this.#waiting.delete(id)) return
    this.onmessage?.({ jsonrpc: '2.0', id, error: { code: LOST, message: reason } })
  }
}
