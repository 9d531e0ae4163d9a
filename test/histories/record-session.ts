import { join } from 'node:path'
import { textOf, writeLog, type SessionHead } from './history.ts'
import { tapLogs } from './log-tap.ts'
import type { Scenario } from './scenario.ts'
import { shownSession } from './shown-session.ts'
import { World } from './world.ts'

/** Plays a scenario with a real server. @returns the text of its file */
export async function recordSession(scenario: Scenario, folder: string): Promise<string> {
  using tap = tapLogs()
  const world = await World.play(scenario, { dataDir: join(folder, 'played'), now: Date.now() })
  await world.recorded('ended')
  if (scenario.constellation?.includes('resume') === true && world.constellation !== null) await world.delivered()
  await world[Symbol.asyncDispose]()
  const labels = tap.labelsOf('session_id')
  const records = tap.recordsOf('session_id')
  await writeLog(join(folder, 'shown', 'events.db'), labels, records)
  const { session } = await shownSession(join(folder, 'shown'), records)
  const asked = world.model?.requests.length ?? 0
  const head: SessionHead = { kind: 'session', about: scenario.about, labels, model_requests: asked, session }
  return textOf({ head, records })
}
