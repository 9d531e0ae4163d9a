import { orrery } from '../terminal/invocation.js'
import { type Line, paint, painted } from '../terminal/painted.js'
import { joinLines, type JoinFacts } from './join-lines.js'
import type { ShellMode } from '../settings/shell-mode.js'

/** What the welcome mentions. */
export interface WelcomeFacts extends JoinFacts {
  /** Address of the server from this machine. */
  url: string
  clientId: string
  shell: ShellMode
  /** Whether this terminal is where the device asks for approvals. */
  asksHere: boolean
  /** The model for requests in words, if there is one. */
  model: string | null
}

/** Lines that `orrery up` prints when it is ready: where it is, what to try, and how another machine joins. */
export function welcome({ url, clientId, shell, model, asksHere, ...join }: WelcomeFacts): Line[] {
  const shellNote =
    shell === 'strict' ? 'its shell runs an allow-list of programs; all with --shell full' : 'its shell runs every program'
  return [
    painted`${paint('green', '●')} Orrery is ready at ${paint('bold', url)}`,
    painted`  This machine is its first device: ${paint('bold', clientId)} ${paint('dim', `(${shellNote})`)}`,
    '',
    paint('bold', 'Try in another terminal:'),
    `  ${orrery('devices')}`,
    `  ${orrery('tools')}`,
    `  ${orrery('exec -- uptime')}`,
    ...modelLines(model),
    '',
    paint('bold', 'Add another machine:'),
    ...joinLines(join),
    '',
    ...(asksHere ? [paint('dim', 'Calls that need your approval are asked about here.')] : []),
    paint('dim', 'Ctrl-C stops it. Sessions appear below.'),
  ]
}

function modelLines(model: string | null): Line[] {
  if (model === null) return [paint('dim', `  Requests in words need a model: ${orrery('model --help')}`)]
  return [painted`  ${orrery('run "How full are the disks?"')}  ${paint('dim', `(asks ${model})`)}`]
}
