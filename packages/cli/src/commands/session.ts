import type { Session, SessionEvent } from '@orrery/aip/api'
import type { OrreryApi } from '@orrery/constellation'
import { Command } from 'commander'
import { describeEvent } from '../follow/event-data.js'
import { examples } from '../terminal/help.js'
import { duration, paint, print, printJson, printValue } from '../terminal/output.js'
import { STATUS_STYLE, runTime, usageLine } from '../follow/session-format.js'
import { details, table } from '../terminal/table.js'
import { type TargetOptions, connect, pickSession, withTarget } from '../settings/target.js'

/** The past events of a running session come in one go; after this long without one, in milliseconds, they are all there. */
const QUIET = 300

/** `orrery session`: one session with its events. */
export function sessionCommand(): Command {
  const command = new Command('session')
    .summary('show a session and its events')
    .description('Shows one session: its details, what happened so far, and its result.')
    .argument('<id>', 'session id; its beginning is enough')
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery session 3f2a9c41', 'everything about it'],
        ['orrery session 3f2a9c41 --json | jq .result', 'its result alone'],
      ]),
    )
    .action(showSession)
}

async function showSession(named: string, options: TargetOptions): Promise<void> {
  const api = await connect(options)
  const id = await pickSession(api, named)
  const events = await pastEvents(api, id)
  const session = await api.session(id)
  if (options.json) return printJson({ ...session, events })
  for (const line of summary(session)) print(line)
  print()
  for (const line of eventTable(session, events)) print(line)
  if (session.result === null) return
  print(`\n${paint('dim', 'RESULT')}`)
  printValue(session.result)
}

async function pastEvents(api: OrreryApi, id: string): Promise<SessionEvent[]> {
  const events: SessionEvent[] = []
  const quiet = new AbortController()
  let timer: NodeJS.Timeout | undefined
  try {
    for await (const event of api.events(id, { signal: quiet.signal })) {
      clearTimeout(timer)
      timer = setTimeout(() => quiet.abort(), QUIET)
      if (event.seq !== null) events.push(event)
    }
  } catch (error) {
    if (!quiet.signal.aborted) throw error
  } finally {
    clearTimeout(timer)
  }
  return events
}

function summary(session: Session): string[] {
  const ran = runTime(session)
  return details([
    ['Session', { text: session.session_id, style: 'bold' }],
    ['Device', session.device_id],
    ['Status', { text: session.status, style: STATUS_STYLE[session.status] }],
    ['Request', session.request],
    ['Task', session.task_name],
    ['Agent', session.agent],
    ['Created', new Date(session.created_at).toLocaleString('sv')],
    ['Duration', ran === null ? null : duration(ran)],
    ['Steps', String(session.steps)],
    ['Model', session.usage === null ? null : usageLine(session.usage)],
    ['Asks', session.question === null ? null : { text: session.question.text, style: 'yellow' }],
    ['Error', session.error === null ? null : { text: session.error, style: 'red' }],
  ])
}

function eventTable(session: Session, events: readonly SessionEvent[]): string[] {
  const start = Date.parse(session.created_at)
  const rows = events.map((event) => [
    String(event.seq),
    `+${duration(Date.parse(event.time) - start)}`,
    event.type,
    describeEvent(event),
  ])
  return table(['#', 'TIME', 'EVENT', ''], rows, [3])
}
