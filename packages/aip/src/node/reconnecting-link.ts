import { sleep } from '../clock.js'
import { aipError } from '../errors.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import { KeyedDialer } from './keyed-dialer.js'
import { dialServer, type DialOptions, type ServerConnection } from './server-connection.js'

/** Why there is no connection: an attempt that failed, or a registered connection that has ended. */
export type Down = { error: unknown; closed: null } | { error: null; closed: CloseInfo }

/** What a {@link ReconnectingLink} is built from. The functions are called in this order. */
export interface LinkOptions extends DialOptions {
  /** `ws://` or `wss://`, with the key as `?token=`. */
  url: string
  /** Registers on a new connection; an exception ends the attempt. */
  register: (connection: ServerConnection) => Promise<void>
  /** Handles what comes over a registered connection, see {@link receiveAll}. Settles when the connection has ended. Must not throw. */
  listen: (connection: ServerConnection) => Promise<void>
  /** Sends heartbeats until one cannot be sent, which ends the connection, or the signal aborts. */
  beat: (connection: ServerConnection, signal: AbortSignal) => Promise<void>
  /** Called when a connection has ended, registered or not. */
  ended: () => void
  /** Decides how to continue. @returns the wait before the next attempt in milliseconds, or null to give up */
  retry: (down: Down) => number | null
}

/** A client's connection to its server: connects, registers, keeps it alive, and reconnects when it drops. */
export class ReconnectingLink {
  readonly #options: LinkOptions
  readonly #dialer: KeyedDialer
  #connection: ServerConnection | null = null

  constructor(options: LinkOptions) {
    this.#options = options
    this.#dialer = new KeyedDialer(options.url)
  }

  /** The latest connection, registered or not, open or not. */
  get connection(): ServerConnection | null {
    return this.#connection
  }

  /**
   * Keeps connecting. Settles when the signal aborts and the connection has ended, or when `retry` has given up; never
   * rejects.
   */
  async run(): Promise<'stopped' | 'given_up'> {
    const { clock, signal, retry } = this.#options
    for (;;) {
      if (signal.aborted) return 'stopped'
      const down = await this.#connect()
      if (isAborted(signal)) return 'stopped'
      const wait = retry(down)
      if (wait === null) return 'given_up'
      await sleep(clock, wait, signal)
    }
  }

  /** Closes the connection with 1000, and reconnects unless the signal has aborted. */
  async drop(): Promise<void> {
    await this.#connection?.transport.close(1000)
  }

  /** Serves one connection: dials, registers and runs it until it ends. */
  async #connect(): Promise<Down> {
    const { register, ended, signal } = this.#options
    try {
      const connection = await dialServer(this.#dialer, this.#options)
      this.#connection = connection
      try {
        if (signal.aborted) throw aipError('CONNECTION_CLOSED')
        await register(connection)
        return { error: null, closed: await this.#serve(connection) }
      } finally {
        await connection.transport.close(1000)
        ended()
      }
    } catch (error) {
      return { error, closed: null }
    }
  }

  /** Receives frames and sends heartbeats; the end of one ends the other. */
  async #serve(connection: ServerConnection): Promise<CloseInfo> {
    const { transport } = connection
    const over = new AbortController()
    const receiving = this.#options.listen(connection)
    await Promise.race([receiving, this.#options.beat(connection, over.signal)])
    over.abort()
    transport.terminate()
    await receiving
    return transport.closed
  }
}

/** Checks the signal again: TypeScript assumes that it does not change across an await. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

/** Hands over frames, the next one when the last one is handled, until the connection ends. @param receive must not throw */
export async function receiveAll(transport: Transport, receive: (frame: string | Uint8Array) => Promise<void>): Promise<void> {
  for (;;) {
    let frame: string | Uint8Array
    try {
      frame = await transport.receive()
    } catch {
      return
    }
    await receive(frame)
  }
}
