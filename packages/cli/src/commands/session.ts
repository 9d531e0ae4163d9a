import { Result } from '@orrery/aip'
import { hasEnded, waitText, type Session, type SessionEvent } from '@orrery/aip/api'
import type { OrreryApi } from '@orrery/constellation'
import { Command } from 'commander'
import { describeEvent } from '../follow/event-data.js'
import { exitCodeOf, programOutcome } from '../results/program-outcome.js'
import { showResult } from '../results/show-result.js'
import { CliError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { clockTime, duration, shortId } from '../terminal/format.js'
import { orrery } from '../terminal/invocation.js'
import { type Painted, paint, painted } from '../terminal/painted.js'
import { note, noteText, print, printJson, printJsonLine } from '../terminal/write.js'
import { STATUS_STYLE, runTime, usageLine } from '../follow/session-format.js'
import { details, table } from '../terminal/table.js'
import { type TargetOptions, connect, pickSession, withTarget } from '../settings/target.js'

interface SessionOptions extends TargetOptions {
  follow?: true
  out?: string
}

/** `orrery session`: one session with its events. */
export function sessionCommand(): Command {
  const command = new Command('session')
    .summary('show a session and its events, or follow it')
    .description(
      'Shows one session: its details, what happened so far, and its result. With --follow, what happens until it ends.',
    )
    .argument('<id>', 'session id; its beginning is enough')
    .option('-f, --follow', 'follow it until it ends; Ctrl-C stops following, and the session runs on')
    .option('--out <file>', 'save the picture or file in its result here; - is stdout')
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery session 3f2a9c41', 'everything about it'],
        ['orrery session -f 3f2a9c41', 'what happens from now on, and its result'],
        ['orrery session 3f2a9c41 --json | jq .result', 'its result alone'],
        ['orrery session 3f2a9c41 --out screen.png', 'the picture in its result'],
      ]),
    )
    .action(showSession)
}

async function showSession(named: string, options: SessionOptions): Promise<void> {
  const api = await connect(options)
  const id = await pickSession(api, named)
  if (options.follow === true) return followSession(api, id, options)
  const [session, events] = await Promise.all([api.sessions.get(id), api.sessions.log(id)])
  if (options.out !== undefined) return showOutcome(session, options)
  if (options.json) return printJson({ ...session, events })
  for (const line of summary(session)) print(line)
  print()
  for (const line of eventTable(session, events)) print(line)
  if (session.result === null) return
  print(painted`\n${paint('dim', 'RESULT')}`)
  await showOutcome(session, options)
}

/** Follows a session that was started elsewhere: an interruption ends the following alone. */
async function followSession(api: OrreryApi, id: string, options: SessionOptions): Promise<void> {
  const session = await api.sessions.get(id)
  const { follow, followShown } = await import('../follow/follow.js')
  // Tools that were called directly have no one to talk to, and their results say it all.
  const direct = session.agent === 'commands'
  const ended = options.json
    ? await follow(api, session, { event: printJsonLine, cancels: false })
    : await followShown(api, session, { device: session.device_id, results: !direct, talks: !direct, cancels: false })
  if (!options.json) await showOutcome(ended, options)
  const [result] = ended.agent === 'commands' ? (Result.array().safeParse(ended.result).data ?? []) : []
  const program = programOutcome(result?.result)
  if (program !== null) process.exitCode = exitCodeOf(program)
  else if (ended.status !== 'completed') throw new CliError(ended.error ?? `The session ended as ${ended.status}`)
}

/** Shows the result: of direct commands, that of each. */
async function showOutcome(session: Session, { out }: SessionOptions): Promise<void> {
  const shown = { out, saveWith: orrery(`session ${shortId(session.session_id)} --out FILE`) }
  const commands = session.agent === 'commands' ? Result.array().safeParse(session.result).data : undefined
  if (commands === undefined) return showResult(session.result, shown)
  for (const { result, error, status } of commands) {
    await showResult(result, { ...shown, reason: error })
    if (status !== 'success' && error !== null && programOutcome(result) === null) noteText(error)
  }
  if (out === undefined && commands.length === 0 && hasEnded(session.status)) note(paint('dim', 'no result'))
}

function summary(session: Session): Painted[] {
  const ran = runTime(session)
  const waits = session.waits_for
  return details([
    ['Session', { text: session.session_id, style: 'bold' }],
    ['Device', session.device_id],
    ['Status', { text: session.status, style: STATUS_STYLE[session.status] }],
    [
      'Waits',
      waits === null
        ? null
        : { text: `${waitText(waits, session.device_id)} (since ${clockTime(waits.since)})`, style: 'yellow' },
    ],
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
  const rows = events.map((event, index) => [
    // A person counts from 1; the sequence numbers of a log are those of the whole server.
    String(index + 1),
    new Date(event.time).toLocaleTimeString('sv'),
    `+${duration(Date.parse(event.time) - start)}`,
    event.type,
    describeEvent(event),
  ])
  return table(['#', 'TIME', 'AFTER', 'EVENT', ''], rows, [4])
}
