import type { Session } from './session.js'
import type { Outcome } from './task.js'
import { serverError } from '../errors.js'

/** The sessions that have not ended, by session id, and the callers that wait for their ends. */
export class LiveSessions implements Iterable<Session> {
  readonly #sessions = new Map<string, Session>()
  readonly #byRun = new Map<string, Session>()
  readonly #ends = new Map<Session, PromiseWithResolvers<Outcome>>()

  get(sessionId: string): Session | undefined {
    return this.#sessions.get(sessionId)
  }

  ofRun(runId: string): Session | undefined {
    return this.#byRun.get(runId)
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#sessions.values()
  }

  /** Returns the sessions that a constellation requested. */
  ofConstellation(clientId: string): Session[] {
    return [...this].filter(({ task: { owner } }) => owner.kind === 'constellation' && owner.client_id === clientId)
  }

  onDevice(deviceId: string): Session[] {
    return [...this].filter(({ task }) => task.deviceId === deviceId)
  }

  add(session: Session): void {
    this.#sessions.set(session.task.sessionId, session)
    this.#byRun.set(session.log.runId, session)
    this.#ends.set(session, Promise.withResolvers())
  }

  /** Waits for the end of a live session. @throws AipError `SESSION_ENDED` if it is not live */
  ended(session: Session): Promise<Outcome> {
    return this.#ends.get(session)?.promise ?? Promise.reject(serverError('SESSION_ENDED', { id: session.task.sessionId }))
  }

  /** Removes an ended session and notifies those who wait for it. */
  end(session: Session, outcome: Outcome): void {
    const end = this.#ends.get(session)
    if (this.#sessions.get(session.task.sessionId) === session) this.#sessions.delete(session.task.sessionId)
    this.#byRun.delete(session.log.runId)
    this.#ends.delete(session)
    end?.resolve(outcome)
  }
}
