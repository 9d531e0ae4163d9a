import type { Session, SessionEvent } from '@orrery/aip/api'
import { Command } from 'commander'
import { describeEvent } from '../follow/event-data.js'
import { examples } from '../terminal/help.js'
import { duration } from '../terminal/format.js'
import { type Painted, paint, painted } from '../terminal/painted.js'
import { print, printJson, printValue } from '../terminal/write.js'
import { STATUS_STYLE, runTime, usageLine } from '../follow/session-format.js'
import { details, table } from '../terminal/table.js'
import { type TargetOptions, connect, pickSession, withTarget } from '../settings/target.js'

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
  const [session, events] = await Promise.all([api.sessions.get(id), api.sessions.log(id)])
  if (options.json) return printJson({ ...session, events })
  for (const line of summary(session)) print(line)
  print()
  for (const line of eventTable(session, events)) print(line)
  if (session.result === null) return
  print(painted`\n${paint('dim', 'RESULT')}`)
  printValue(session.result)
}

function summary(session: Session): Painted[] {
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

function eventTable(session: Session, events: readonly SessionEvent[]): Painted[] {
  const start = Date.parse(session.created_at)
  const rows = events.map((event) => [
    String(event.seq),
    `+${duration(Date.parse(event.time) - start)}`,
    event.type,
    describeEvent(event),
  ])
  return table(['#', 'TIME', 'EVENT', ''], rows, [3])
}
