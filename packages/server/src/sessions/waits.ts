import { isoTime, type Clock } from '@orrery/aip'
import { waitText, type Session as SessionView, type SessionEvent, type WaitsFor } from '@orrery/aip/api'
import type { Feed } from '../store/feed.js'
import type { Lanes } from './lanes.js'
import type { LiveSessions } from './live-sessions.js'
import type { Session } from './session.js'

/** What a device reports while its owner is asked, in the words of this version and of earlier ones. */
const ASKS_OWNER = /^waiting for (?:permission|an? approval|approval) at the device$/

/** Where {@link Waits} look. */
export interface WaitsOptions {
  feed: Feed
  live: LiveSessions
  lanes: Lanes
  clock: Clock
}

/** What sessions wait for. Each change is reported to those who watch the session; it is not recorded. */
export class Waits {
  readonly #options: WaitsOptions
  /** The calls of each session that wait for an approval, and since when. */
  readonly #approvals = new Map<string, Map<string, string>>()
  /** The approvals that the server was asked for, with their calls. */
  readonly #asked = new Map<string, string>()
  /** What each session was last seen to wait for. */
  readonly #seen = new WeakMap<Session, { key: string; since: string }>()
  readonly #reported = new WeakMap<Session, string>()

  constructor(options: WaitsOptions) {
    this.#options = options
    options.feed.onEvent((event) => this.#happened(event))
    options.feed.onChange((change) => {
      if (change.kind === 'presence') this.#report(change.deviceId)
    })
  }

  /** Returns what a live session waits for; null if it runs. */
  of(session: Session): WaitsFor | null {
    const { task, log } = session
    const { lanes } = this.#options
    const lane = lanes.get(task.deviceId)
    const place = lane?.placeOf(session)
    const behind = place === 'running' ? null : (lane?.running ?? null)
    if (lanes.isAway(task.deviceId)) return this.#waits(session, 'device')
    if (place === 'running') {
      const [approval] = this.#approvals.get(task.sessionId)?.values() ?? []
      if (approval !== undefined) return { ...this.#waits(session, 'approval'), since: approval }
      return log.view.question === null ? null : this.#waits(session, 'answer')
    }
    if (behind === null || behind === session) return null
    const waits = { session_id: behind.task.sessionId, behind: this.of(behind)?.reason ?? null }
    return { reason: 'queue', since: log.view.created_at, ...waits }
  }

  /** Returns a live session as the API shows it. */
  viewOf(session: Session): SessionView {
    return { ...session.log.view, waits_for: this.of(session) }
  }

  /** Returns whether a session has begun, and does not wait for an approval. */
  hasBegun(session: Session): boolean {
    const { deviceId, sessionId } = session.task
    return this.#options.lanes.get(deviceId)?.placeOf(session) === 'running' && !this.#approvals.has(sessionId)
  }

  /** Returns the event that reports what a session waits for; undefined if it does not wait. */
  eventOf(session: Session): SessionEvent | undefined {
    const waits = withoutRecorded(session, this.of(session))
    if (waits === null) return undefined
    const { sessionId, deviceId } = session.task
    const data = progressOf(waits, deviceId)
    return { seq: null, session_id: sessionId, time: isoTime(this.#options.clock.now()), type: 'progress', data }
  }

  #waits(session: Session, reason: WaitsFor['reason']): WaitsFor {
    const seen = this.#seen.get(session)
    const since = seen?.key === reason ? seen.since : isoTime(this.#options.clock.now())
    this.#seen.set(session, { key: reason, since })
    return { reason, since, session_id: null, behind: null }
  }

  #happened({ type, session_id: sessionId, time, data }: SessionEvent): void {
    switch (type) {
      case 'progress': {
        const { call_id: call, message } = data
        if (typeof call !== 'string') return
        if (typeof message === 'string' && ASKS_OWNER.test(message)) return this.#asks(sessionId, call, time)
        return this.#settled(sessionId, call)
      }
      case 'approval': {
        const { ask_id: ask, call_id: call, decision } = data
        if (typeof ask !== 'string') return
        if (decision === undefined && typeof call === 'string') {
          this.#asked.set(ask, call)
          return this.#asks(sessionId, call, time)
        }
        const answered = this.#asked.get(ask)
        this.#asked.delete(ask)
        if (answered !== undefined) this.#settled(sessionId, answered)
        return
      }
      case 'results_received':
      case 'ended':
        return this.#settled(sessionId)
      case 'question':
      case 'answer':
        return this.#report(this.#options.live.get(sessionId)?.task.deviceId)
      case 'accepted':
      case 'commands_sent':
      case 'agent_step':
      case 'remark':
      case 'paused':
      case 'resumed':
      case 'delivered':
        return
    }
  }

  #asks(sessionId: string, call: string, since: string): void {
    const calls = this.#approvals.get(sessionId) ?? new Map<string, string>()
    this.#approvals.set(sessionId, calls)
    if (calls.has(call)) return
    calls.set(call, since)
    this.#report(this.#options.live.get(sessionId)?.task.deviceId)
  }

  /** @param call default: all of the session */
  #settled(sessionId: string, call?: string): void {
    const calls = this.#approvals.get(sessionId)
    if (calls === undefined) return
    for (const each of call === undefined ? [...calls.keys()] : [call]) {
      calls.delete(each)
      for (const [ask, asked] of this.#asked) if (asked === each) this.#asked.delete(ask)
    }
    if (calls.size === 0) this.#approvals.delete(sessionId)
    this.#report(this.#options.live.get(sessionId)?.task.deviceId)
  }

  /** Reports to the sessions of a device what they wait for, where that has changed. */
  #report(deviceId: string | undefined): void {
    if (deviceId === undefined) return
    const lane = this.#options.lanes.get(deviceId)
    for (const session of lane?.sessions ?? []) {
      // One that is not in the line yet may not be recorded yet either.
      if (session.log.closed || session.cancelled !== null || lane?.placeOf(session) === 'recorded') continue
      const waits = withoutRecorded(session, this.of(session))
      const key = waits === null ? '' : `${waits.reason} ${waits.session_id} ${waits.behind}`
      if (key === (this.#reported.get(session) ?? '')) continue
      this.#reported.set(session, key)
      session.log.report(progressOf(waits, deviceId))
    }
  }
}

/** Null for what a record of the session reports already: its question, and its pause. */
function withoutRecorded({ log }: Session, waits: WaitsFor | null): WaitsFor | null {
  const recorded = waits?.reason === 'answer' || (waits?.reason === 'device' && log.view.status === 'paused')
  return recorded ? null : waits
}

function progressOf(waits: WaitsFor | null, device: string): Parameters<Session['log']['report']>[0] {
  const message = waits === null ? null : waitText(waits, device)
  return { call_id: null, tool: null, progress: null, total: null, message, waits_for: waits }
}
