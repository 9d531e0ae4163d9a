import type { Session, SessionStatus } from '@orrery/aip/api'
import type { Style } from './output.js'

/** The colour of a session's status. */
export const STATUS_STYLE: Record<SessionStatus, Style> = {
  accepted: 'dim',
  running: 'cyan',
  paused: 'yellow',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
}

/** For how long a session has run, or ran, in milliseconds; null while it waits. */
export function runTime(session: Session, now: number = Date.now()): number | null {
  if (session.started_at === null) return null
  return (session.ended_at === null ? now : Date.parse(session.ended_at)) - Date.parse(session.started_at)
}
