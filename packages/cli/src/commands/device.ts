import type { DeviceHandle, DeviceOptions } from '@orrery/device'
import { Command, InvalidArgumentError } from 'commander'
import { CliError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { readKey } from '../settings/home.js'
import { keyOfFlags } from '../settings/key-flags.js'
import { type LogLevel, chooseLogLevel, createLogger, parseLogLevel } from '../settings/logging.js'
import { print } from '../terminal/write.js'
import { type PresetFlags, addPresetFlags } from '../settings/preset-flags.js'
import { staySmall } from '../running/memory-guard.js'
import { OWN_SERVER, localServer } from '../settings/running-server.js'
import { DeviceLines, deviceInUse } from '../running/device-lines.js'
import { paint } from '../terminal/painted.js'
import { serve } from '../running/service.js'
import { type ShellMode, shellInWords, shellOption } from '../settings/shell-mode.js'
import { addTrustFlags, serverTrust } from '../settings/trust.js'
import { refuseOpenNetwork } from '../settings/open-network.js'
import { Refusals } from '../running/refusals.js'
import { deviceCheckCommand } from './device-check.js'

interface Options extends PresetFlags {
  wsServer?: string
  clientId?: string
  token?: string
  tokenFile?: string
  insecure?: boolean
  ca?: string
  fingerprint?: string
  platform?: string
  maxRetries?: number
  heartbeat?: number
  request?: string
  task_name?: string
  logLevel?: LogLevel
  config?: string
  shell?: ShellMode
}

/** `orrery device`: a device client for this machine. */
export function deviceCommand(): Command {
  return (
    addTrustFlags(addPresetFlags(new Command('device')))
      .summary('connect this machine to a server')
      .description(
        'Connects this machine to a server as a device: it runs the commands that the server sends and its owner allows.',
      )
      .option(
        '--ws-server <url>',
        "server, such as ws://host:5000/ws (default: the configuration's, else the one on this machine)",
      )
      .option('--client-id <id>', "name of the device (default: the configuration's, else the host name)")
      .option(
        '--token <key>',
        'device key (default: ORRERY_API_KEY, else the configuration, else the file device.key in ORRERY_HOME)',
      )
      .option('--token-file <file>', 'file with the device key, which others then do not see in the list of processes')
      .option('--insecure', 'dial a server outside of private networks with ws://, which others can read and change')
      .option('--platform <name>', 'platform to register as (default: that of this machine)')
      .option(
        '--max-retries <n>',
        'give up after this many failed attempts (default: 5, but a server that keeps sessions is waited for)',
        parseRetries,
      )
      .option('--heartbeat <seconds>', "time between two heartbeats (default: the configuration's, else 120)", parseSeconds)
      .addOption(shellOption())
      .option('--request <text>', 'a task for this device itself, started once it is connected')
      .option('--task_name <name>', 'name of that task')
      .option(
        '--log-level <level>',
        'DEBUG, INFO, WARNING, ERROR, CRITICAL or OFF (default: ORRERY_LOG_LEVEL, else WARNING)',
        parseLogLevel,
      )
      .option('--config <file>', 'configuration (default: the file device.jsonc in ORRERY_HOME)')
      .addHelpText(
        'after',
        examples([
          ['orrery device', 'connect to the server on this machine'],
          ['orrery device --ws-server ws://server:5000/ws --token KEY', "to one elsewhere; 'orrery up' prints this line"],
          ['orrery device check', 'is the configuration good?'],
          ['orrery device --client-id lab --shell full', 'under a name of its own, with the whole shell'],
        ]),
      )
      .action(device)
      // Options after 'check' are its own, not this command's.
      .enablePositionalOptions()
      .addCommand(deviceCheckCommand())
  )
}

async function device(options: Options): Promise<void> {
  const [{ deviceSettings, localDevice, socketUrl }, { startDevice }] = await Promise.all([
    import('../settings/device-settings.js'),
    import('@orrery/device'),
  ])
  const level = chooseLogLevel(options.logLevel)
  const logger = await createLogger(level, level === 'DEBUG' || level === 'INFO' ? undefined : '[WS] ')
  const settings = await deviceSettings(options)
  const { clientId, config } = settings
  const token = tokenFor(options, config.token)
  const serverUrl = socketUrl(options.wsServer ?? config.server ?? localServer())
  const trust = await serverTrust(serverUrl, options, config)
  if (options.insecure !== true) await refuseOpenNetwork(serverUrl)
  // An address may have the key in its query, which must not be shown.
  const shown = serverUrl.replace(/\?.*$/, '')
  const maxRetries = options.maxRetries ?? 5
  staySmall()
  const refusals = new Refusals()
  const startHere = (started: DeviceOptions): DeviceHandle => {
    try {
      return startDevice(started)
    } catch (error) {
      throw deviceInUse(error) ?? error
    }
  }
  const lines = new DeviceLines(print)
  const running = startHere({
    ...localDevice(settings),
    serverUrl,
    trust,
    serverName: shown === socketUrl(localServer()) ? OWN_SERVER : undefined,
    logger,
    token,
    platform: options.platform,
    maxRetries,
    // A limit set by the user applies; otherwise the device keeps waiting for a server that resumes sessions.
    persistent: options.maxRetries === undefined,
    ...(options.heartbeat === undefined ? {} : { heartbeatS: options.heartbeat }),
    request: options.request,
    taskName: options.task_name,
    onFailed: (error) => {
      refusals.add(error)
      if (refusals.last === null) lines.lost(error)
    },
    onEvent: (event) => {
      if (event.type === 'connected') refusals.clear()
      lines.show(event)
    },
  })
  running.registered.then(
    () => {
      print(`Device ${clientId} is connected to ${shown}`)
      print(paint('dim', `${shellInWords(config.shell)}. Calls appear below; Ctrl-C stops it.`))
    },
    // The end of the device reports it.
    () => {},
  )
  let end: 'stopped' | 'retries_spent' | undefined
  await serve(
    () => running.stop(),
    running.done.then((how) => (end = how)),
  )
  if (end !== 'retries_spent') return
  throw refusals.last === null
    ? new CliError(`Cannot reach ${shown}: is the server running there? Gave up after ${maxRetries} attempts`)
    : new CliError(
        `${refusals.insecure ? `Cannot reach ${shown}` : `${shown} refuses this device`}: ${refusals.last}. Gave up after ${maxRetries} attempts`,
      )
}

/** Flag beats environment beats file; of the two files, the configuration is the more explicit. */
function tokenFor({ token, tokenFile }: Options, configured: string | undefined): string | undefined {
  const given = keyOfFlags({ name: '--token', value: token, file: tokenFile })?.key
  const environment = process.env['ORRERY_API_KEY'] || undefined
  return given ?? environment ?? configured ?? readKey('device.key')?.key
}

function parseRetries(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1) return value
  throw new InvalidArgumentError('It must be a whole number from 1.')
}

function parseSeconds(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}
