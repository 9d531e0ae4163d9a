import { LIMITS, messageOf, type Clock, type Logger, type PushedTool } from '@orrery/aip'
import type { ClientStore, KnownDevice, KnownTools } from '../store/client-store.js'
import type { Feed } from '../store/feed.js'

/** What {@link KnownDevices} work with. */
export interface KnownDevicesOptions {
  store: ClientStore
  feed: Feed
  clock: Clock
  logger: Logger
}

/**
 * The devices that are or were online, with what they last said. Kept in the store, so that they are known after a restart; those that
 * were seen longest ago are forgotten when there are too many.
 */
export class KnownDevices {
  readonly #store: ClientStore
  readonly #feed: Feed
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #online = new Map<string, KnownDevice>()
  /** Those that were seen longest ago first. */
  readonly #offline = new Map<string, KnownDevice>()

  constructor({ store, feed, clock, logger }: KnownDevicesOptions) {
    this.#store = store
    this.#feed = feed
    this.#clock = clock
    this.#logger = logger
  }

  /** Reads what the store knows. @throws AipError `STORE_FAILED` */
  async load(): Promise<void> {
    const devices = await this.#store.devices()
    for (const device of devices.sort((a, b) => a.lastSeenAt - b.lastSeenAt)) this.#offline.set(device.clientId, device)
    this.#limit()
  }

  /** All of them, in the order in which they were first seen. */
  list(): KnownDevice[] {
    return [...this.#offline.values(), ...this.#online.values()].sort((a, b) => a.firstSeenAt - b.firstSeenAt)
  }

  get(deviceId: string): KnownDevice | undefined {
    return this.#online.get(deviceId) ?? this.#offline.get(deviceId)
  }

  /** A device is online, or says something new of itself. */
  seen(device: Pick<KnownDevice, 'clientId' | 'platform' | 'systemInfo' | 'features'>): void {
    const now = this.#clock.now()
    const { clientId } = device
    const known = { ...device, firstSeenAt: this.get(clientId)?.firstSeenAt ?? now, lastSeenAt: now }
    this.#offline.delete(clientId)
    this.#online.set(clientId, known)
    this.#save(known)
    this.#limit()
    this.#changed(clientId)
  }

  /** A device has gone offline. */
  left(deviceId: string): void {
    const device = this.#online.get(deviceId)
    if (device === undefined) return
    const known = { ...device, lastSeenAt: this.#clock.now() }
    this.#online.delete(deviceId)
    this.#offline.set(deviceId, known)
    this.#save(known)
    this.#changed(deviceId)
  }

  /** The tools that a device listed last; null if it never did. @throws AipError `STORE_FAILED` */
  tools(deviceId: string): Promise<KnownTools | null> {
    return this.#store.tools(deviceId)
  }

  /** A device has listed its tools. */
  listed(deviceId: string, tools: readonly PushedTool[]): KnownTools {
    const known = { tools, listedAt: this.#clock.now() }
    this.#attempt(this.#store.saveTools(deviceId, known))
    this.#changed(deviceId)
    return known
  }

  #changed(deviceId: string): void {
    this.#feed.changed({ kind: 'presence', deviceId })
  }

  #limit(): void {
    while (this.#offline.size > 0 && this.#offline.size + this.#online.size > LIMITS.knownDevices) {
      const [oldest = ''] = this.#offline.keys()
      this.#offline.delete(oldest)
      this.#attempt(this.#store.forgetDevice(oldest))
    }
  }

  #save(device: KnownDevice): void {
    this.#attempt(this.#store.saveDevice(device))
  }

  /** What cannot be kept, as on a full disk, is known until the server ends. */
  #attempt(work: Promise<void>): void {
    work.catch((error: unknown) => this.#logger.warn(`What is known of a device could not be kept: ${messageOf(error)}`))
  }
}
