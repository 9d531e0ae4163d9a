import { hasEnded } from '@orrery/aip/api'
import type { SessionStore } from '../store/session-store.js'
import { readRecord, viewOf } from '../store/session-view.js'
import { pastSession } from './restore.js'
import { describeWork, type Outcome } from './task.js'

/** An ended session, as it is reported to those who wait for it. */
export interface PastEnd {
  sessionId: string
  request: string
  outcome: Outcome
}

/** Reads how a session ended, with its whole result; undefined if it has not, or is gone. @throws AipError `STORE_FAILED` */
export async function pastEnd(store: SessionStore, runId: string): Promise<PastEnd | undefined> {
  const records = (await store.wholeRecords(runId)).map(readRecord)
  const view = viewOf(records)
  if (view === undefined || !hasEnded(view.status)) return undefined
  const { task } = pastSession(records)
  const { status, result, error } = view
  return { sessionId: task.sessionId, request: describeWork(task.work), outcome: { status, result, error } as Outcome }
}
