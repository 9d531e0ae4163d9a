import type { Ask } from '@orrery/aip/api'
import { Command } from 'commander'
import { CliError, usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { paint, painted } from '../terminal/painted.js'
import { inTime } from '../terminal/format.js'
import { print, printJson } from '../terminal/write.js'
import { type TargetOptions, connect, withTarget } from '../settings/target.js'

/** `orrery answer`: permission for a call that waits on its device. */
export function answerCommand(): Command {
  const command = new Command('answer')
    .summary('allow or deny a call that waits for an approval')
    .description(
      'Allows or denies a call that waits on its device, once. Without an id it lists the calls that wait. Only devices whose owner ' +
        'has "server" among the approvers of their policy can be answered here.',
    )
    .argument('[id]', 'id of the approval; its beginning is enough')
    .argument('[decision]', 'allow or deny')
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery answer', 'what waits'],
        ['orrery answer 3f2a9c41 allow', 'let it run, this once'],
      ]),
    )
    .action(answer)
}

async function answer(id: string | undefined, decision: string | undefined, options: TargetOptions): Promise<void> {
  const api = await connect(options)
  const asks = await api.asks.list()
  if (id === undefined) {
    if (options.json) return printJson({ asks })
    if (asks.length === 0) return print('No call waits for an approval.')
    for (const [index, ask] of asks.entries()) {
      if (index > 0) print()
      show(ask)
    }
    return
  }
  if (decision !== 'allow' && decision !== 'deny') throw usageError(`Say what to do: 'orrery answer ${id} allow' or '… deny'`)
  const meant = asks.filter((ask) => ask.ask_id.startsWith(id))
  if (meant.length > 1) throw new CliError(`${meant.length} approvals begin with '${id}': give more of the id`)
  const [shown] = meant
  const digest = shown?.digest === undefined ? {} : { digest: shown.digest }
  const ask = await api.asks.answer(shown?.ask_id ?? id, decision, digest)
  if (options.json) return printJson(ask)
  print(`${decision === 'allow' ? 'Allowed' : 'Denied'} on ${ask.device_id}:`)
  for (const line of ask.summary.split('\n')) print(`  ${line}`)
}

/** Shows all that an answer would allow. */
function show({ ask_id: id, device_id: device, expires_at: expires, summary }: Ask): void {
  print(painted`${paint('bold', id)}  ${device}  ${paint('dim', `denied ${inTime(expires)} without an answer`)}`)
  for (const line of summary.split('\n')) print(`  ${line}`)
}
