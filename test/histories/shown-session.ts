import { Session, SessionEvent, SessionList, SessionLog } from '@orrery/aip/api'
import { z } from 'zod'
import { ManualClock } from '../support/manual-clock.ts'
import { startTestServer } from '../support/test-server.ts'
import type { HistoryRecord } from './history.ts'

/** The session of a log, as the API of a server shows it that is started on the log. */
export interface ShownSession {
  session: Session
  /** As lists show it that ask for its device, its status, and both. */
  listed: Session[]
  /** What the route for results by task name says. */
  byTaskName: unknown
  log: SessionEvent[]
  events: SessionEvent[]
}

/** Starts a server on a log whose only session has ended, and asks it for everything about the session. */
export async function shownSession(dataDir: string, records: readonly HistoryRecord[]): Promise<ShownSession> {
  const [first] = records
  if (first === undefined) throw new Error('there is no record')
  // Soon after, so that nothing is old enough to be deleted.
  await using server = await startTestServer({ dataDir, clock: new ManualClock(Date.parse(records.at(-1)?.time ?? '') + 1000) })
  const get = async (path: string): Promise<unknown> => {
    const { status, body } = await server.api(path)
    if (status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`)
    return body
  }
  const session = Session.parse(await get(`/api/sessions/${first.stream}`))
  const { device_id: device, status, session_id: id, task_name: name } = session
  const found = [`device_id=${device}`, `status=${status}`, `device_id=${device}&status=${status}`]
  const lists = await Promise.all(found.map((query) => get(`/api/sessions?${query}`)))
  return {
    session,
    listed: lists.flatMap((list) => SessionList.parse(list).sessions),
    byTaskName: await get(`/api/task_result/${name}`),
    log: SessionLog.parse(await get(`/api/sessions/${id}/log`)).events,
    events: z.array(SessionEvent).parse(await server.events(id)),
  }
}
