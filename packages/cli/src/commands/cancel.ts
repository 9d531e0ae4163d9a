import { Command } from 'commander'
import { examples } from '../terminal/help.js'
import { print, printJson } from '../terminal/write.js'
import { type TargetOptions, connect, pickSession, withTarget } from '../settings/target.js'

/** `orrery cancel`: ends a session early. */
export function cancelCommand(): Command {
  const command = new Command('cancel')
    .summary('cancel a session')
    .description('Cancels a session. What runs on the device is stopped; what was done stays done.')
    .argument('<id>', 'session id; its beginning is enough')
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery sessions --status running', 'what could be cancelled'],
        ['orrery cancel 3f2a9c41', 'cancel one of them'],
      ]),
    )
    .action(cancel)
}

async function cancel(named: string, options: TargetOptions): Promise<void> {
  const api = await connect(options)
  const id = await pickSession(api, named)
  await api.sessions.cancel(id)
  if (options.json) printJson(await api.sessions.get(id))
  else print(`Session ${id} is being cancelled`)
}
