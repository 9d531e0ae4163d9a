import type { Clock } from '@orrery/aip'
import { DEVICE_LIMITS } from '../limits.js'

/** Which session has the device. One does from its first COMMAND or TASK until its end or the connection's (contradictions, C-38). */
export class SessionSlot {
  readonly #clock: Clock
  #live: { sessionId: string | null; running: number; lastActive: number } | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a session has the device now. */
  get taken(): boolean {
    const live = this.#live
    return live !== null && (live.running > 0 || this.#clock.now() - live.lastActive < DEVICE_LIMITS.idleSession)
  }

  /** The session that has the device; `null` if there is none, or if the server has not named it yet. */
  get sessionId(): string | null {
    return this.#live?.sessionId ?? null
  }

  /** Returns whether the session has the device; one that is not named yet may be this one. */
  holds(sessionId: string | null): boolean {
    return this.#live !== null && (this.#live.sessionId === null || this.#live.sessionId === sessionId)
  }

  /** Gives the device to a session, if no other has it. @returns whether it has it now */
  take(sessionId: string | null): boolean {
    const now = this.#clock.now()
    if (this.#live !== null && this.holds(sessionId)) {
      this.#live.sessionId ??= sessionId
      this.#live.lastActive = now
      return true
    }
    if (this.taken) return false
    this.#live = { sessionId, running: 0, lastActive: now }
    return true
  }

  /** Counts a batch of the session that has the device; the returned function ends it. */
  begin(): () => void {
    const live = this.#live
    if (live === null) return () => {}
    live.running += 1
    return () => {
      live.running -= 1
      live.lastActive = this.#clock.now()
    }
  }

  /** Names a session that was asked for without a name. */
  name(sessionId: string): void {
    if (this.#live?.sessionId === null) this.#live.sessionId = sessionId
  }

  /** After the connection was lost, the server says which session continues; any other has ended. @returns whether one has */
  keepOnly(sessionId: string | null): boolean {
    if (this.#live === null || this.#live.sessionId === sessionId) return false
    this.#live = null
    return true
  }

  /** The device is free. */
  release(): void {
    this.#live = null
  }
}
