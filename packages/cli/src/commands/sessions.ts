import { Command, InvalidArgumentError, Option } from 'commander'
import { waitText, type Session, type SessionStatus } from '@orrery/aip/api'
import { examples } from '../terminal/help.js'
import { orrery } from '../terminal/invocation.js'
import { age, clockTime, duration, shortId } from '../terminal/format.js'
import { print, printJson } from '../terminal/write.js'
import { STATUS_STYLE, runTime } from '../follow/session-format.js'
import { table } from '../terminal/table.js'
import { type TargetOptions, connect, withTarget } from '../settings/target.js'

interface Filter extends TargetOptions {
  device?: string
  status?: SessionStatus
  limit: number
}

/** `orrery sessions`: what was run. */
export function sessionsCommand(): Command {
  const command = new Command('sessions')
    .summary('list the sessions')
    .description('Lists the sessions, the newest first. A session is the run of one task.')
    .option('-d, --device <id>', 'only those of this device')
    .addOption(new Option('--status <status>', 'only those with this status').choices(Object.keys(STATUS_STYLE)))
    .option('--limit <n>', 'at most this many, up to 500', parseLimit, 20)
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery sessions', 'the latest 20'],
        ['orrery sessions --status failed --device web-1', 'what went wrong on a device'],
        ['orrery session ID', 'one of them, with its events; the beginning of the id is enough'],
      ]),
    )
    .action(listSessions)
}

async function listSessions(options: Filter): Promise<void> {
  const api = await connect(options)
  const sessions = await api.sessions.list({ device_id: options.device, status: options.status, limit: options.limit })
  if (options.json) return printJson({ sessions })
  if (sessions.length === 0) {
    if (options.device !== undefined) await api.devices.get(options.device)
    const filtered = options.device !== undefined || options.status !== undefined
    return print(filtered ? 'No such session.' : `No session yet. Start one with: ${orrery('run "How full are the disks?"')}`)
  }
  const now = Date.now()
  const rows = sessions.map((session) => {
    const ran = runTime(session, now)
    return [
      shortId(session.session_id),
      session.device_id,
      { text: session.status, style: STATUS_STYLE[session.status] },
      clockTime(session.created_at, now),
      age(session.created_at, now),
      ran === null ? '' : duration(ran),
      requestOf(session),
    ]
  })
  for (const line of table(['SESSION', 'DEVICE', 'STATUS', 'STARTED', 'AGE', 'DURATION', 'REQUEST'], rows, [6, 1, 0])) print(line)
}

/** The request, and before it what the session waits for. */
function requestOf({ waits_for: waits, device_id: device, request }: Session): string {
  return waits === null ? request : `(${waitText(waits, device)}) ${request}`
}

function parseLimit(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 500) return value
  throw new InvalidArgumentError('It must be a whole number from 1 to 500.')
}
