import { messageOf, type Clock, type Logger } from '@orrery/aip'
import type { Feed } from '../store/feed.js'
import type { Lane, SessionStore } from '../store/session-store.js'
import { Absences } from './absences.js'
import { DeviceLane, type Run } from './device-lane.js'
import type { Session } from './session.js'

/** What {@link Lanes} work with. */
export interface LanesOptions {
  store: SessionStore
  feed: Feed
  clock: Clock
  logger: Logger
  /** How long sessions wait for a device that dropped, in milliseconds. */
  graceMs: number
  run: Run
  /** Called when a device did not return in time, or is forgotten: its sessions end. */
  giveUp: (deviceId: string) => void
}

/** The lanes of the devices that have something to do, and the presence of their devices. */
export class Lanes {
  readonly #options: LanesOptions
  readonly #lanes = new Map<string, DeviceLane>()
  /** Lanes that are being taken. */
  readonly #opening = new Map<string, Promise<void>>()
  readonly #away: Absences
  #stopping = false

  constructor(options: LanesOptions) {
    this.#options = options
    this.#away = new Absences(options.clock, options.graceMs, (deviceId) => this.giveUp(deviceId))
  }

  /** Returns the lane of a device, if it has anything to do. */
  get(deviceId: string): DeviceLane | undefined {
    return this.#lanes.get(deviceId)
  }

  /**
   * Enters the lane of a device, taking it from the store if it is not held; the caller must leave it.
   * @throws AipError `STORE_FAILED`
   */
  async enter(deviceId: string): Promise<DeviceLane> {
    for (;;) {
      const lane = this.#lanes.get(deviceId)
      if (lane !== undefined) {
        lane.enter()
        return lane
      }
      const opening = this.#opening.get(deviceId) ?? this.#take(deviceId)
      this.#opening.set(deviceId, opening)
      await opening
    }
  }

  /** Runs a callback with the right to append to the sessions of a device. */
  async with<T>(deviceId: string, work: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = await this.enter(deviceId)
    try {
      return await work(lane.lane)
    } finally {
      lane.leave()
    }
  }

  /** Makes the sessions from before a restart wait for their device. */
  await(deviceId: string): void {
    this.#away.begin(deviceId)
    this.get(deviceId)?.hold()
  }

  /** Notes that a device that can resume has dropped: what runs there waits for it. */
  away(deviceId: string): void {
    const lane = this.#lanes.get(deviceId)
    if (lane === undefined || this.#stopping) return
    this.#away.begin(deviceId)
    lane.hold()
    for (const session of lane.atWork) this.#attempt(session.pause())
  }

  /** Returns whether a device that can resume is away, and its sessions wait for it. */
  isAway(deviceId: string): boolean {
    return this.#away.has(deviceId)
  }

  /** Continues what waits for a device that has registered. */
  back(deviceId: string): void {
    this.#away.end(deviceId)
    const lane = this.#lanes.get(deviceId)
    // What runs was sent over an earlier connection, even if that one was not seen to end.
    for (const session of lane?.atWork ?? []) this.#attempt(session.resume())
    lane?.letGo()
  }

  /** Ends the sessions of a device that will not return. */
  giveUp(deviceId: string): void {
    this.#away.end(deviceId)
    this.#options.giveUp(deviceId)
    this.get(deviceId)?.letGo()
  }

  /** Returns whether a session is running now, rather than waiting in line or for its device. */
  isAtWork(session: Session): boolean {
    const { deviceId } = session.task
    return !this.#away.has(deviceId) && this.get(deviceId)?.atWork.includes(session) === true
  }

  /** Returns the session that continues when its device returns; null if there is none. */
  continuing(deviceId: string): string | null {
    const session = this.get(deviceId)?.continuing ?? null
    return session === null || session.cancelled !== null ? null : session.task.sessionId
  }

  /** Stops starting sessions. */
  stop(): void {
    this.#stopping = true
    this.#away.stop()
    for (const lane of this.#lanes.values()) lane.hold()
  }

  async #take(deviceId: string): Promise<void> {
    const { store, feed, run } = this.#options
    try {
      const taken = await store.takeLane(deviceId)
      const lane = new DeviceLane(taken, run, {
        changed: () => feed.changed({ kind: 'presence', deviceId }),
        empty: () => {
          this.#lanes.delete(deviceId)
          this.#attempt(store.releaseLane(taken))
        },
      })
      if (this.#stopping || this.#away.has(deviceId)) lane.hold()
      this.#lanes.set(deviceId, lane)
    } finally {
      this.#opening.delete(deviceId)
    }
  }

  #attempt(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.logger.error(messageOf(error)))
  }
}
