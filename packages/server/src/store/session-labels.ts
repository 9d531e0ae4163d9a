import type { SessionStatus } from '@orrery/aip/api'
import type { RecordData, RecordType } from '@orrery/aip/records'

/** The labels by which sessions are looked up. */
export const SESSION_LABELS = ['session_id', 'task_name', 'device_id', 'status', 'awaited_by', 'asked_name'] as const

/** Values of {@link SESSION_LABELS}; missing ones stay unchanged. */
type SessionLabels = {
  session_id?: string
  task_name?: string
  device_id?: string
  /** `accepted` until the session ends: labels do not follow what a live session does. */
  status?: SessionStatus
  /** The constellation that has not acknowledged the end yet. */
  awaited_by?: string | null
  /** The task name, if not the device itself asked for the task. Sessions of older servers do not have it. */
  asked_name?: string
}

/** A record without its position and time. */
export type Recorded = { [T in RecordType]: { type: T; data: RecordData[T] } }[RecordType]

/** Returns the labels that a record changes; null if none. */
export function labelsOf(record: Recorded): SessionLabels | null {
  if (record.type === 'accepted') {
    const { session_id, task_name, device_id, owner } = record.data
    const asked = owner.kind === 'device' ? {} : { asked_name: task_name }
    return { session_id, task_name, device_id, status: 'accepted', awaited_by: owner.resumes ? owner.client_id : null, ...asked }
  }
  if (record.type === 'ended') return { status: record.data.status }
  return record.type === 'delivered' ? { awaited_by: null } : null
}
