import { createHash, timingSafeEqual } from 'node:crypto'
import { newToken } from '../identity/new-token.js'
import type { Transport } from '@orrery/aip'

/** A file transfer waiting for its device. */
export interface WaitingTransfer {
  /** The id sent to the device; useless without the key of its connection. */
  readonly id: string
  /** The connection that the device opened for it; never rejects. */
  readonly connected: Promise<Transport>
  /** Stops waiting. */
  close(): void
}

/** What a connection for a transfer presents. */
interface Dial {
  id: string
  key: string | undefined
}

interface Entry {
  deviceId: string
  connect: (transport: Transport) => void
}

/**
 * The file transfers that wait for their device to connect. Each can be used once, by one device: the one whose registered connection has
 * the presented key. Keys change with each registration and are not stored.
 */
export class WaitingTransfers {
  readonly #waiting = new Map<string, Entry>()
  readonly #keyOf: (deviceId: string) => string | null

  /** @param keyOf the key of the connection that a device is registered on; null if it is offline or has no file transfer */
  constructor(keyOf: (deviceId: string) => string | null) {
    this.#keyOf = keyOf
  }

  /** Makes a key for the connection of a device. */
  static newKey(): string {
    return newToken()
  }

  /** Waits for a device. The caller must close it. @param id of the transfer, which is used once; default: a new one */
  open(deviceId: string, id: string = crypto.randomUUID()): WaitingTransfer {
    const { promise, resolve } = Promise.withResolvers<Transport>()
    this.#waiting.set(id, { deviceId, connect: resolve })
    return { id, connected: promise, close: () => void this.#waiting.delete(id) }
  }

  /** Returns whether a transfer waits for a connection with this key. */
  admits({ id, key }: Dial): boolean {
    const entry = this.#waiting.get(id)
    const expected = entry === undefined ? null : this.#keyOf(entry.deviceId)
    if (expected === null || key === undefined) return false
    return timingSafeEqual(digest(expected), digest(key))
  }

  /** Claims a transfer that {@link admits} this connection. @returns hands the connection over; null if the transfer is already claimed */
  take(dial: Dial): ((transport: Transport) => void) | null {
    if (!this.admits(dial)) return null
    const connect = this.#waiting.get(dial.id)?.connect ?? null
    this.#waiting.delete(dial.id)
    return connect
  }
}

/** Hashes a key: digests have equal lengths, which the comparison requires. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
