import { LIMITS, aipError } from '@orrery/aip'
import type { Session } from './session.js'

/** The sessions of one device: one runs, the others wait in order. */
export class DeviceQueue {
  running: Session | null = null
  readonly #waiting: Session[] = []
  #reserved = 0

  /** Keeps a place for a session that is being recorded. @throws AipError `QUEUE_FULL` */
  reserve(deviceId: string): void {
    if (this.#waiting.length + this.#reserved >= LIMITS.waitingSessions) {
      throw aipError('QUEUE_FULL', { id: deviceId, limit: LIMITS.waitingSessions })
    }
    this.#reserved += 1
  }

  /** Gives the reserved place back. */
  release(): void {
    this.#reserved -= 1
  }

  add(session: Session): void {
    this.#waiting.push(session)
  }

  /** The session that is next in line. */
  get first(): Session | undefined {
    return this.#waiting[0]
  }

  /** Takes the next session if none runs. */
  next(): Session | undefined {
    if (this.running !== null) return undefined
    const session = this.#waiting.shift()
    if (session !== undefined) this.running = session
    return session
  }

  /** Takes a waiting session out. @returns whether it was waiting */
  remove(session: Session): boolean {
    const index = this.#waiting.indexOf(session)
    if (index < 0) return false
    this.#waiting.splice(index, 1)
    return true
  }

  get isEmpty(): boolean {
    return this.running === null && this.#waiting.length === 0 && this.#reserved === 0
  }
}
