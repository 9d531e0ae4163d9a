import type { SessionStore } from '../store/session-store.js'
import { pastSession } from './restore.js'
import { viewOf } from './session-view.js'
import { describeWork, type Outcome, type Task } from './task.js'

/** A session that has ended, as its requester is told. */
export interface PastEnd {
  sessionId: string
  request: string
  outcome: Outcome
}

/** The ends of sessions that constellations with the feature resume have not acknowledged yet. They outlive the process. */
export class AwaitedEnds {
  readonly #store: SessionStore

  constructor(store: SessionStore) {
    this.#store = store
  }

  /** What a client is still to be told, oldest first. */
  of(clientId: string): PastEnd[] {
    const runs = this.#store.find({ awaitedBy: clientId, open: false }).toReversed()
    return runs.flatMap((runId) => this.#load(runId)?.end ?? [])
  }

  /** How a task ended that its requester sends again because it does not know whether it arrived. */
  ofRepeated({ sessionId, requestId, owner }: Task): PastEnd | undefined {
    if (!owner.resumes || owner.client_id === null || requestId === null) return undefined
    const runs = this.#store.find({ sessionId, awaitedBy: owner.client_id, open: false })
    return runs.map((runId) => this.#load(runId)).find((past) => past?.requestId === requestId)?.end
  }

  /** The client has been told. Settles once that is recorded. */
  async acknowledged(clientId: string, sessionId: string): Promise<void> {
    for (const runId of this.#store.find({ sessionId, awaitedBy: clientId, open: false })) {
      await this.#store.append(runId, 'delivered', { client_id: clientId }, { awaited_by: null })
    }
  }

  #load(runId: string): { requestId: string | null; end: PastEnd } | undefined {
    const records = this.#store.records(runId)
    for (const record of records) record.data = this.#store.resolve(record.data)
    const view = viewOf(records)
    if (view === undefined) return undefined
    const { task } = pastSession(records)
    const { status, result, error } = view
    // Only sessions that have ended are looked at.
    if (status !== 'completed' && status !== 'failed' && status !== 'cancelled') return undefined
    return {
      requestId: task.requestId,
      end: { sessionId: task.sessionId, request: describeWork(task.work), outcome: { status, result, error } },
    }
  }
}
