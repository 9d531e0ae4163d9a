import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { messageOf } from '@orrery/aip'
import type { CreateSession, Session } from '@orrery/aip/api'
import { Command } from 'commander'
import { CliError, usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { jsonObject } from './json-object.js'
import { duration, shortId } from '../terminal/format.js'
import { paint } from '../terminal/painted.js'
import { note, printJsonLine } from '../terminal/write.js'
import { usageLine } from '../follow/session-format.js'
import { begin, leave, withNoWait } from '../follow/begin.js'
import { orrery } from '../terminal/invocation.js'
import { showResult } from '../results/show-result.js'
import { type DeviceTargetOptions, connect, pickDevice, withDevice } from '../settings/target.js'

interface RunOptions extends DeviceTargetOptions {
  workflow?: string
  wait: boolean
}

/** `orrery run`: a task in words, followed until it ends. On a terminal the user can talk with it. */
export function runCommand(): Command {
  const command = new Command('run')
    .summary('give a device a task, and watch it')
    .description('Gives a device a task in words and shows what happens until it is done. Ctrl-C cancels the task.')
    .argument('[request]', 'what to do, in words; or workflow:NAME {"input": "value"}; with --workflow the inputs as JSON')
    .option('--workflow <file>', 'run this workflow file')
  return withDevice(withNoWait(command))
    .addHelpText(
      'after',
      examples([
        ['orrery run "How full are the disks?"', 'on the only device that is online'],
        ['orrery run "Which services have failed?" --device web-1', 'on this device'],
        ['orrery run workflow:system-report', 'a workflow; orrery workflows lists them'],
        ['orrery run --workflow my-own.yaml', 'a workflow of your own'],
        ['orrery run "List my processes" --json | jq .type', 'one event a line'],
      ]) +
        '\nResults go to stdout, progress to stderr. Exit code: 0 completed, 1 failed or cancelled, 130 interrupted.\n' +
        'On a terminal a line that you type answers the question of the task, or is a remark for it.\n',
    )
    .action(run)
}

async function run(request: string | undefined, options: RunOptions): Promise<void> {
  const work = workOf(request, options.workflow)
  const api = await connect(options)
  const device = await pickDevice(api, options.device, 'with --device ID')
  const session = await begin(api, { device_id: device, ...work })
  if (!options.wait) return leave(session, options.json)
  const { follow, followShown } = await import('../follow/follow.js')
  if (options.json) {
    const ended = await follow(api, session, { event: printJsonLine })
    return failUnlessCompleted(ended)
  }
  const ended = await followShown(api, session, { device, results: true, talks: true })
  await showResult(ended.result, { saveWith: orrery(`session ${shortId(ended.session_id)} --out FILE`) })
  failUnlessCompleted(ended)
  const time = Date.parse(ended.ended_at ?? ended.created_at) - Date.parse(ended.created_at)
  const used = usageLine(ended.usage)
  const line = `Completed in ${duration(time)}${used === '' ? '' : `, ${used}`}`
  note(paint('dim', line))
}

/** What the server is asked for: a request, or the text of a workflow file with its inputs. @throws {CliError} with exit code 2 */
function workOf(request: string | undefined, file: string | undefined): Omit<CreateSession, 'device_id'> {
  if (file === undefined) {
    if (request === undefined) throw usageError(`Nothing to do: give a request in words, workflow:NAME or --workflow FILE`)
    return { request }
  }
  let workflow: string
  try {
    workflow = readFileSync(file, 'utf8')
  } catch (error) {
    throw usageError(`Cannot read the workflow: ${messageOf(error)}`, error)
  }
  return { workflow, file: basename(file), inputs: parseInputs(request) }
}

function parseInputs(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {}
  const inputs = jsonObject(text)
  if (inputs !== null) return inputs
  throw usageError(`The inputs of a workflow are a JSON object, such as '{"path": "/"}'`)
}

function failUnlessCompleted(session: Session): void {
  if (session.status === 'completed') return
  throw new CliError(session.error ?? `The session ended as ${session.status}`)
}
