import { hasEnded, type Session as SessionView, type SessionEvent, type SessionStatus } from '@orrery/aip/api'
import type { SessionRecord, SessionStore } from '../store/session-store.js'
import { toEvent, viewOf } from './session-view.js'
import type { SessionManager } from './session-manager.js'

/** Live and ended sessions alike, as the API shows them. */
export class SessionArchive {
  readonly #store: SessionStore
  readonly #manager: SessionManager

  constructor(store: SessionStore, manager: SessionManager) {
    this.#store = store
    this.#manager = manager
  }

  /** The newest session of this session id, or the one of this run id, with its whole result. */
  find(id: string): SessionView | undefined {
    const live = this.#manager.get(id)
    if (live !== undefined && !live.task.transient) return live.view
    const [runId = id] = this.#store.find({ sessionId: id, limit: 1 })
    return this.#load(runId)
  }

  /** The newest session of this task name. */
  findByTaskName(taskName: string): SessionView | undefined {
    const [runId] = this.#store.find({ taskName, limit: 1 })
    return runId === undefined ? undefined : this.#load(runId)
  }

  /** Sessions, newest first, without their results. `status` is exact for live sessions too. */
  list(filter: {
    deviceId?: string | undefined
    status?: SessionStatus | undefined
    before?: string | undefined
    limit: number
  }): SessionView[] {
    const { status, limit, ...rest } = filter
    if (status === undefined || hasEnded(status)) {
      return this.#store.find({ ...filter }).flatMap((runId) => this.#summary(runId))
    }
    // Of a live session the log knows only that it has not ended; what it does now is known here.
    const open = this.#store.find({ ...rest, open: true }).flatMap((runId) => this.#summary(runId))
    return open.filter((view) => view.status === status).slice(0, limit)
  }

  /** The events of a run after `afterSeq`. */
  events(runId: string, sessionId: string, afterSeq: number): SessionEvent[] {
    return this.#store.records(runId, afterSeq).map((record) => toEvent(record, sessionId))
  }

  /** The large value that an event of a run refers to by this id; undefined if none does. */
  value(runId: string, id: string): unknown {
    return this.#store.value(runId, id)
  }

  #summary(runId: string): SessionView[] {
    const view = this.#load(runId, (record) => record)
    return view === undefined ? [] : [{ ...view, result: null }]
  }

  #load(runId: string, prepare = (record: SessionRecord): SessionRecord => this.#whole(record)): SessionView | undefined {
    const records = this.#store.records(runId)
    const sessionId = records[0]?.data['session_id']
    const live = typeof sessionId === 'string' ? this.#manager.get(sessionId) : undefined
    return live?.runId === runId ? live.view : viewOf(records.map(prepare))
  }

  #whole(record: SessionRecord): SessionRecord {
    return record.type === 'ended' ? { ...record, data: this.#store.resolve(record.data) } : record
  }
}
