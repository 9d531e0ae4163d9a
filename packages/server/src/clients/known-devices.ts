import { LIMITS, messageOf, type Clock, type Logger, type PushedTool, type Timer } from '@orrery/aip'
import type { ClientStore, KnownDevice, KnownTools } from '../store/client-store.js'
import type { Feed } from '../store/feed.js'

/** Until what a device says of itself is kept, in milliseconds. */
const SAVE_DELAY = 1500
/** Devices that are kept at once, and the pause until the next of them, in milliseconds: the server answers in between. */
const SAVED_AT_ONCE = 200
const SAVE_PAUSE = 10

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
  readonly #unsaved = new Set<string>()
  #timer: Timer | null = null

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
    this.#save(clientId)
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
    this.#save(deviceId)
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

  /** Keeps what is known of a device, soon: when thousands return at once, their registrations go first. */
  #save(deviceId: string): void {
    this.#unsaved.add(deviceId)
    this.#timer ??= this.#clock.after(SAVE_DELAY, () => this.#saveSome())
  }

  #saveSome(): void {
    this.#timer = null
    let left = SAVED_AT_ONCE
    for (const deviceId of this.#unsaved) {
      this.#unsaved.delete(deviceId)
      const device = this.get(deviceId)
      if (device !== undefined) this.#attempt(this.#store.saveDevice(device))
      left -= 1
      if (left === 0) break
    }
    if (this.#unsaved.size > 0) this.#timer = this.#clock.after(SAVE_PAUSE, () => this.#saveSome())
  }

  /** Keeps what is not kept yet. */
  close(): void {
    this.#timer?.cancel()
    for (const deviceId of this.#unsaved) {
      const device = this.get(deviceId)
      if (device !== undefined) this.#attempt(this.#store.saveDevice(device))
    }
    this.#unsaved.clear()
  }

  /** What cannot be kept, as on a full disk, is known until the server ends. */
  #attempt(work: Promise<void>): void {
    work.catch((error: unknown) => this.#logger.warn(`What is known of a device could not be kept: ${messageOf(error)}`))
  }
}
