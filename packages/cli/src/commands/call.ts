import type { Result } from '@orrery/aip'
import type { Session } from '@orrery/aip/api'
import type { OrreryApi } from '@orrery/constellation'
import type { Command } from 'commander'
import { begin, leave, withNoWait } from '../follow/begin.js'
import { exitCodeOf, programOutcome, runsProgram } from '../results/program-outcome.js'
import { CliError, EXIT, orreryError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { shortId } from '../terminal/format.js'
import { orrery } from '../terminal/invocation.js'
import { noteText, printJson } from '../terminal/write.js'
import { type DeviceTargetOptions, connect, namedDevice, pickDevice, withDevice } from '../settings/target.js'
import { CallWords, misread, parseCall } from './call-words.js'

interface CallOptions extends DeviceTargetOptions {
  concurrent?: true
  wait: boolean
  out?: string
}

/** `orrery call`: one tool call. */
export function callCommand(): Command {
  const command = new CallWords('call')
    .summary('call one tool of a device')
    .description(
      'Calls one tool of a device and shows its result as text; with --json as JSON. Ctrl-C cancels the call. The exit code is that of ' +
        "the program where the tool runs one, else 1 if the tool fails; 125 is an error of Orrery's own.",
    )
    .usage('[options] [device] <tool> [\'{"json": "arguments"}\']')
    .argument(
      '[words...]',
      'the device, which may be left out if only one is online; the tool, by its name or as type::name; its arguments',
    )
    .option('--concurrent', 'run beside the session that the device is busy with; only for read-only tools that its owner trusts')
    .option('--out <file>', 'save the picture or file in the result here; - is stdout')
  return withDevice(withNoWait(command))
    .addHelpText(
      'after',
      examples([
        [`orrery call execute_command '{"command": "uptime"}'`, 'on the only device that is online'],
        [`orrery call web-1 execute_command '{"command": "df -h"}'`, 'on this device'],
        ['orrery call data_collection::get_system_info', 'a tool by its type and name'],
        ['orrery call get_system_info --concurrent', 'without waiting for the session that is running'],
        ['orrery call screenshot --out screen.png', 'a picture'],
        ['orrery tools', 'the tools, and what arguments they take'],
        ['orrery exec -- df -h', 'run a program instead'],
      ]),
    )
    .action(call)
}

async function call(words: string[], options: CallOptions): Promise<void> {
  const { device: first, command } = parseCall(words, options.device)
  const named = namedDevice(first, options)
  try {
    const api = await connect(options)
    const device = await pickDevice(api, named, 'with --device ID')
    // A session, not the route that waits for the results: it can be cancelled, may last for hours and survives a lost connection.
    const wanted = { device_id: device, commands: [command], concurrent: options.concurrent }
    const session = await begin(api, wanted).catch((error: unknown) => misread(api, words, error))
    if (!options.wait) return leave(session, options.json)
    await showEnd(api, session, { device, options, program: runsProgram(command.tool_name) })
  } catch (error) {
    throw orreryError(error)
  }
}

async function showEnd(
  api: OrreryApi,
  session: Session,
  { device, options, program }: { device: string; options: CallOptions; program: boolean },
): Promise<void> {
  const [{ followShown }, { Result }, { showResult }] = await Promise.all([
    import('../follow/follow.js'),
    import('@orrery/aip'),
    import('../results/show-result.js'),
  ])
  const ended = await followShown(api, session, { device, results: false })
  const results = Result.array().catch([]).parse(ended.result)
  const [result] = results
  const id = shortId(ended.session_id)
  const shown = { out: options.out, saveWith: orrery(`session ${id} --out FILE`) }
  if (options.json) {
    const { session_id, status, error } = ended
    printJson({ session_id, status, results, error })
    if (options.out !== undefined) await showResult(result?.result, shown)
  } else if (result === undefined) throw new CliError(ended.error ?? `The call ended as ${ended.status}`)
  else {
    await showResult(result.result, { ...shown, reason: result.error })
    noteFailure(result)
  }
  process.exitCode = codeOf(ended, result, program)
}

/** What a tool says about its failure may have many lines, like its result; how a program ended is shown with what it printed. */
function noteFailure(result: Result): void {
  if (result.status === 'success' || result.error === null) return
  if (programOutcome(result.result) === null) noteText(result.error)
}

function codeOf({ status }: Session, result: Result | undefined, program: boolean): number {
  const outcome = programOutcome(result?.result)
  if (outcome !== null) return exitCodeOf(outcome)
  if (status === 'completed' && result?.status === 'success') return EXIT.ok
  return program ? EXIT.orrery : EXIT.failed
}
