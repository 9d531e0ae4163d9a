import { aipError } from '../errors.js'
import { Inbox } from './inbox.js'
import type { Pace } from './pace.js'
import type { CloseInfo, Transport, TransportState } from './transport.js'

/** One end of a pair in memory. What one end sends, the other receives in order, even if it is closed right after. */
class LinkedTransport implements Transport {
  state: TransportState = 'connected'
  readonly closed: Promise<CloseInfo>
  readonly inbox = new Inbox()
  peer: LinkedTransport | null = null
  #settle: (info: CloseInfo) => void = () => {}

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  async send(frame: string | Uint8Array, isText = false): Promise<void> {
    const { peer } = this
    if (this.state !== 'connected' || peer === null) throw aipError('CONNECTION_CLOSED')
    peer.inbox.put(isText && typeof frame !== 'string' ? new TextDecoder().decode(frame) : frame)
  }

  receive(): Promise<string | Uint8Array> {
    return this.inbox.take()
  }

  deliverTo(deliver: (frame: string | Uint8Array) => void, pace?: Pace): Promise<CloseInfo> {
    this.inbox.deliverTo(deliver, pace)
    return this.closed
  }

  async close(code = 1000, reason = ''): Promise<void> {
    this.end({ code, reason })
    this.peer?.end({ code, reason })
    await this.closed
  }

  refuse(code: number, reason: string): void {
    void this.close(code, reason)
  }

  isAlive(): Promise<boolean> {
    return Promise.resolve(this.state === 'connected')
  }

  setKeepAlive(): void {
    // A connection within one process cannot be half open.
  }

  setMaxUnsent(): void {
    // What one end sends is with the other at once.
  }

  terminate(): void {
    void this.close(1006)
  }

  end(info: CloseInfo): void {
    if (this.state === 'disconnected') return
    this.state = 'disconnected'
    this.inbox.end()
    this.#settle(info)
  }
}

/** Two transports that are connected to each other, for tests and for a device inside the server's process. */
export function createLinkedTransports(): [Transport, Transport] {
  const a = new LinkedTransport()
  const b = new LinkedTransport()
  a.peer = b
  b.peer = a
  return [a, b]
}
