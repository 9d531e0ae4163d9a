import { messageOf } from '@orrery/aip'
import type { Session } from '@orrery/aip/api'
import type { ServerTrust } from '@orrery/aip/node'
import type { DeviceHandle } from '@orrery/device'
import { Command } from 'commander'
import { CliError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { type LogLevel, parseLogLevel } from '../settings/logging.js'
import { staySmallAsServer } from '../running/memory-guard.js'
import type { Line } from '../terminal/painted.js'
import { print } from '../terminal/write.js'
import { type PresetFlags, addPresetFlags } from '../settings/preset-flags.js'
import { DeviceLines, deviceInUse } from '../running/device-lines.js'
import { serve } from '../running/service.js'
import { type ShellMode, shellOption } from '../settings/shell-mode.js'
import { serverSettings } from '../settings/server-settings.js'
import { OWN_SERVER } from '../settings/running-server.js'
import { startLocalServer } from '../running/start-server.js'
import { parsePort } from './server.js'

interface Options extends PresetFlags {
  host?: string
  port?: number
  shell?: ShellMode
  dataDir?: string
  logLevel?: LogLevel
  config?: string
  serverConfig?: string
}

/** `orrery up`: a server with a device in it. */
export function upCommand(): Command {
  return addPresetFlags(new Command('up'))
    .summary('start a server with this machine as its first device')
    .description(
      'Starts a server, connects this machine to it as a device, and says what to try. Nothing else is needed to begin.',
    )
    .option('--host <address>', 'address to listen on; 0.0.0.0 lets other machines in (default: 127.0.0.1)')
    .option('--port <n>', 'port; 0 takes a free one (default: 5000)', parsePort)
    .addOption(shellOption())
    .option('--data-dir <folder>', 'where sessions are kept (default: the folder server in ORRERY_HOME)')
    .option(
      '--log-level <level>',
      'DEBUG, INFO, WARNING, ERROR, CRITICAL or OFF (default: ORRERY_LOG_LEVEL, else WARNING)',
      parseLogLevel,
    )
    .option('--config <file>', "the device's configuration (default: the file device.jsonc in ORRERY_HOME)")
    .option(
      '--server-config <file>',
      "the server's configuration, such as its model (default: the file server.yaml in ORRERY_HOME)",
    )
    .addHelpText(
      'after',
      examples([
        ['orrery up', 'for this machine only'],
        ['orrery up --host 0.0.0.0', 'other machines can join; they need the key that is printed'],
        ['orrery up --shell full', 'its shell tool may run everything'],
      ]),
    )
    .action(up)
}

async function up(options: Options): Promise<void> {
  staySmallAsServer()
  const [
    { deviceSettings, localDevice, socketUrl },
    { startDevice },
    { SessionLines },
    { welcome },
    { certificatePin },
    { joinHost },
    { fingerprintOf },
  ] = await Promise.all([
    import('../settings/device-settings.js'),
    import('@orrery/device'),
    import('../follow/session-lines.js'),
    import('../running/welcome.js'),
    import('../running/certificate-pin.js'),
    import('../running/join-lines.js'),
    import('@orrery/aip/node'),
  ])
  const settings = await serverSettings(options, options.serverConfig)
  const own = await deviceSettings(options)
  const server = await startLocalServer(settings)
  const { tls } = settings
  const trust = tls === undefined ? undefined : { fingerprint: fingerprintOf(tls.cert) }
  let device: DeviceHandle | null = null
  const stop = async (): Promise<void> => {
    await device?.stop()
    await server.stop()
  }
  // Sessions may continue before this machine is ready; their lines come after the welcome.
  const early: Line[] = []
  let ready = false
  const say = (line: Line): void => {
    if (ready) print(line)
    else early.push(line)
  }
  const sessions = new SessionLines(say)
  server.onSessionEvent((event) => sessions.show(event))
  for (const session of await openSessions(server.url, settings.operatorKey, trust)) sessions.resumed(session)
  const lines = new DeviceLines(say)
  try {
    device = startDevice({
      ...localDevice(own),
      serverUrl: socketUrl(server.url),
      trust,
      serverName: OWN_SERVER,
      token: settings.deviceKey,
      logger: settings.logger,
      persistent: true,
      // What runs is shown as sessions.
      onEvent: (event) => event.type === 'configured' && lines.show(event),
    })
    await device.registered
  } catch (cause) {
    await stop()
    throw deviceInUse(cause) ?? new CliError(`The device cannot join its own server: ${messageOf(cause)}`, undefined, { cause })
  }
  for (const line of welcome({
    url: server.url,
    host: settings.host,
    port: server.port,
    clientId: own.clientId,
    shell: own.config.shell,
    deviceKey: settings.deviceKey,
    secure: tls !== undefined,
    pin: tls === undefined ? null : await certificatePin(tls.cert, joinHost(settings.host), new URL(server.url)),
    hasPackage: settings.devicePackage !== undefined,
    asksHere: process.stdin.isTTY && process.stderr.isTTY,
    model: settings.model?.main.model ?? null,
  }))
    print(line)
  for (const line of early.splice(0)) print(line)
  ready = true
  await serve(stop)
}

/** The sessions that an earlier process of the server has left open. */
async function openSessions(server: string, apiKey: string, trust: ServerTrust | undefined): Promise<Session[]> {
  const { OrreryApi, trustingFetch } = await import('@orrery/constellation')
  const api = new OrreryApi({ server, apiKey, fetch: trust && trustingFetch(trust) })
  // Where this process cannot reach the server itself, such as one that asks for certificates of clients, the lines are left out.
  return api.sessions.list({ limit: 500 }).catch(() => [])
}
