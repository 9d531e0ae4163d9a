import { networkInterfaces } from 'node:os'
import { orrery } from '../terminal/invocation.js'
import { type Line, paint, painted } from '../terminal/painted.js'
import type { ShellMode } from '../settings/shell-mode.js'

/** What the welcome mentions. */
export interface WelcomeFacts {
  /** Address of the server from this machine. */
  url: string
  host: string
  port: number
  clientId: string
  shell: ShellMode
  deviceKey: string
  /** Whether this terminal is where the device asks for approvals. */
  asksHere: boolean
  /** The model for requests in words, if there is one. */
  model: string | null
}

/** Lines that `orrery up` prints when it is ready: where it is, what to try, and how another machine joins. */
export function welcome({ url, host, port, clientId, shell, deviceKey, model, asksHere }: WelcomeFacts): Line[] {
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
    ...joinLines(host, port, deviceKey),
    '',
    ...(asksHere ? [paint('dim', 'Calls that need your approval are asked about here.')] : []),
    paint('dim', 'Ctrl-C stops it. Sessions appear below.'),
  ]
}

function modelLines(model: string | null): Line[] {
  if (model === null) return [paint('dim', `  Requests in words need a model: ${orrery('model --help')}`)]
  return [painted`  ${orrery('run "How full are the disks?"')}  ${paint('dim', `(asks ${model})`)}`]
}

function joinLines(host: string, port: number, deviceKey: string): string[] {
  if (isLoopback(host)) {
    return [
      '  Only this machine can reach the server now. To let others in, start it with',
      `  ${orrery('up --host 0.0.0.0')}`,
      '  or forward the port with ssh, and run on the other machine:',
      `  orrery device --ws-server ws://127.0.0.1:${port}/ws --token ${deviceKey}`,
    ]
  }
  const address = host === '0.0.0.0' || host === '::' ? lanAddress() : host
  const name = address.includes(':') ? `[${address}]` : address
  return [`  orrery device --ws-server ws://${name}:${port}/ws --token ${deviceKey}`]
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** An address under which other machines in the network may reach this one. */
function lanAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return all.find((each) => !each.internal && each.family === 'IPv4')?.address ?? 'THIS-MACHINE'
}
