import { LIMITS, messageOf, silentLogger, systemClock, type Clock, type Logger, type PushedTool, type Timer } from '@orrery/aip'
import type { ClientStore, KnownDevice, KnownTools } from '../store/client-store.js'
import type { Feed } from '../store/feed.js'
import { SERVER_LIMITS } from '../limits.js'
import { OfflineDevices } from './offline-devices.js'
import { MemoryFeed } from '../store/memory-feed.js'
import { SqliteClientStore } from '../store/sqlite-client-store.js'

/** The delay before what a device reports is stored, and the longest while others report too, in milliseconds. */
const SAVE_DELAY = 1500
const LONGEST_SAVE_DELAY = 15_000
/** How many devices are stored at once, and the pause before the next ones, in milliseconds: the server answers in between. */
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
 * The devices that are or were online, with what they last reported. They are stored, so that they are known after a restart; those that
 * were seen longest ago are forgotten if there are too many.
 */
export class KnownDevices {
  readonly #store: ClientStore
  readonly #feed: Feed
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #online = new Map<string, KnownDevice>()
  readonly #offline = new OfflineDevices()
  readonly #unsaved = new Set<string>()
  /** Characters of what each device says of itself, as JSON, and of all together. */
  readonly #sizes = new Map<string, number>()
  #size = 0
  #timer: Timer | null = null
  /** When the oldest and the newest of what is not stored was reported. */
  #unsavedSince = 0
  #reportedAt = 0

  constructor({ store, feed, clock, logger }: KnownDevicesOptions) {
    this.#store = store
    this.#feed = feed
    this.#clock = clock
    this.#logger = logger
  }

  /** Makes devices that are known for as long as the process runs, and whose changes are not published. */
  static inMemory(): KnownDevices {
    const store = new SqliteClientStore(':memory:')
    return new KnownDevices({ store, feed: new MemoryFeed(), clock: systemClock, logger: silentLogger })
  }

  /** Reads what the store knows. @throws AipError `STORE_FAILED` */
  async load(): Promise<void> {
    const devices = await this.#store.devices()
    for (const device of devices.sort((a, b) => a.lastSeenAt - b.lastSeenAt)) {
      this.#offline.add(device)
      this.#measure(device.clientId, device.systemInfo)
    }
    this.#limit()
  }

  /** Lists all devices in the order in which they were first seen. */
  list(): KnownDevice[] {
    return [...this.#offline.list(), ...this.#online.values()].sort((a, b) => a.firstSeenAt - b.firstSeenAt)
  }

  get(deviceId: string): KnownDevice | undefined {
    return this.#online.get(deviceId) ?? this.#offline.get(deviceId)
  }

  /** Notes that a device is online, or reports something new about itself. */
  seen(device: Pick<KnownDevice, 'clientId' | 'platform' | 'systemInfo' | 'features'>): void {
    const now = this.#clock.now()
    const { clientId } = device
    const known = { ...device, firstSeenAt: this.get(clientId)?.firstSeenAt ?? now, lastSeenAt: now }
    this.#offline.delete(clientId)
    this.#online.set(clientId, known)
    this.#measure(clientId, known.systemInfo)
    this.#save(clientId)
    this.#limit()
    this.#changed(clientId)
  }

  /** Notes that a device has gone offline. */
  left(deviceId: string): void {
    const device = this.#online.get(deviceId)
    if (device === undefined) return
    const known = { ...device, lastSeenAt: this.#clock.now() }
    this.#online.delete(deviceId)
    this.#offline.add(known)
    this.#save(deviceId)
    this.#changed(deviceId)
  }

  /** Forgets a device. @throws AipError `STORE_FAILED` */
  async forget(deviceId: string): Promise<void> {
    this.#online.delete(deviceId)
    this.#offline.delete(deviceId)
    this.#unsaved.delete(deviceId)
    this.#measure(deviceId, null)
    await this.#store.forgetDevice(deviceId)
    this.#changed(deviceId)
  }

  /** Returns the tools that a device last listed; null if it never did. @throws AipError `STORE_FAILED` */
  tools(deviceId: string): Promise<KnownTools | null> {
    return this.#store.tools(deviceId)
  }

  /** Notes the tools that a device has listed. */
  listed(deviceId: string, tools: readonly PushedTool[]): KnownTools {
    const known = { tools, listedAt: this.#clock.now() }
    this.#attempt(this.#store.saveTools(deviceId, known))
    this.#changed(deviceId)
    return known
  }

  #changed(deviceId: string): void {
    this.#feed.changed({ kind: 'presence', deviceId })
  }

  /** Notes how much is known of a device. */
  #measure(deviceId: string, info: Record<string, unknown> | null): void {
    const size = info === null ? 0 : JSON.stringify(info).length
    this.#size += size - (this.#sizes.get(deviceId) ?? 0)
    if (size === 0) this.#sizes.delete(deviceId)
    else this.#sizes.set(deviceId, size)
  }

  #limit(): void {
    const tooMany = (): boolean =>
      this.#offline.size + this.#online.size > LIMITS.knownDevices || this.#size > SERVER_LIMITS.deviceInfoInAll
    while (tooMany()) {
      const { oldest } = this.#offline
      if (oldest === undefined) return
      this.#offline.delete(oldest)
      this.#measure(oldest, null)
      this.#attempt(this.#store.forgetDevice(oldest))
    }
  }

  /** Stores what is known about a device, after a delay: when thousands return at once, their registrations come first. */
  #save(deviceId: string): void {
    this.#reportedAt = this.#clock.now()
    if (this.#unsaved.size === 0) this.#unsavedSince = this.#reportedAt
    this.#unsaved.add(deviceId)
    this.#timer ??= this.#clock.after(SAVE_DELAY, () => this.#saveWhenQuiet())
  }

  #saveWhenQuiet(): void {
    const now = this.#clock.now()
    const isQuiet = now - this.#reportedAt >= SAVE_DELAY || now - this.#unsavedSince >= LONGEST_SAVE_DELAY
    if (isQuiet) this.#saveSome()
    else this.#timer = this.#clock.after(SAVE_DELAY, () => this.#saveWhenQuiet())
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

  /** Stores what is still pending. */
  close(): void {
    this.#timer?.cancel()
    for (const deviceId of this.#unsaved) {
      const device = this.get(deviceId)
      if (device !== undefined) this.#attempt(this.#store.saveDevice(device))
    }
    this.#unsaved.clear()
  }

  /** What cannot be stored, for example on a full disk, is known until the server ends. */
  #attempt(work: Promise<void>): void {
    work.catch((error: unknown) => this.#logger.warn(`What is known about a device could not be stored: ${messageOf(error)}`))
  }
}
