import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Transport } from '@orrery/aip'

/** A file transfer that waits for its device. */
export interface WaitingTransfer {
  /** What the device is told; of no use without the key of its connection. */
  readonly id: string
  /** The connection that the device has made for it; never rejects. */
  readonly connected: Promise<Transport>
  /** Waits no longer. */
  close(): void
}

/** What a connection for a transfer shows. */
interface Dial {
  id: string
  key: string | undefined
}

interface Entry {
  deviceId: string
  connect: (transport: Transport) => void
}

/**
 * The file transfers that wait for their device to connect. Each is good once, for one device: the one whose registered connection has
 * the key that is shown. Keys are new with each registration and kept nowhere but here.
 */
export class WaitingTransfers {
  readonly #waiting = new Map<string, Entry>()
  readonly #keyOf: (deviceId: string) => string | null

  /** @param keyOf the key of the connection that a device is registered on; null if it is offline or has no file transfer */
  constructor(keyOf: (deviceId: string) => string | null) {
    this.#keyOf = keyOf
  }

  /** A key for the connection of a device. */
  static newKey(): string {
    return randomBytes(32).toString('base64url')
  }

  /** Waits for a device. Whoever opens it closes it. */
  open(deviceId: string): WaitingTransfer {
    const id = crypto.randomUUID()
    const { promise, resolve } = Promise.withResolvers<Transport>()
    this.#waiting.set(id, { deviceId, connect: resolve })
    return { id, connected: promise, close: () => void this.#waiting.delete(id) }
  }

  /** Whether a transfer waits for whoever shows this key. */
  admits({ id, key }: Dial): boolean {
    const entry = this.#waiting.get(id)
    const expected = entry === undefined ? null : this.#keyOf(entry.deviceId)
    if (expected === null || key === undefined) return false
    return timingSafeEqual(digest(expected), digest(key))
  }

  /** Takes a transfer that {@link admits} this connection: nobody else gets it. @returns gives it the connection; null if it is taken */
  take(dial: Dial): ((transport: Transport) => void) | null {
    if (!this.admits(dial)) return null
    const connect = this.#waiting.get(dial.id)?.connect ?? null
    this.#waiting.delete(dial.id)
    return connect
  }
}

/** Digests have one length, which the comparison needs. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
