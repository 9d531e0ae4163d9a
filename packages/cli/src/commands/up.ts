import { resolve } from 'node:path'
import { Command } from 'commander'
import { CliError } from '../errors.js'
import { configuredModel } from '../configured-model.js'
import { examples } from '../help.js'
import { ensureKey, findKey, inHome } from '../home.js'
import { type LogLevel, chooseLogLevel, createLogger, parseLogLevel } from '../logging.js'
import { staySmallAsServer } from '../memory-guard.js'
import { print } from '../output.js'
import { type PresetFlags, addPresetFlags } from '../preset-flags.js'
import { serve } from '../service.js'
import { type ShellMode, shellOption } from '../shell-mode.js'
import { startLocalServer } from '../start-server.js'
import { parsePort } from './server.js'

interface Options extends PresetFlags {
  host: string
  port: number
  shell?: ShellMode
  dataDir?: string
  logLevel?: LogLevel
  config?: string
}

/** `orrery up`: a server with a device in it. */
export function upCommand(): Command {
  return addPresetFlags(new Command('up'))
    .summary('start a server with this machine as its first device')
    .description(
      'Starts a server, connects this machine to it as a device, and says what to try. Nothing else is needed to begin.',
    )
    .option('--host <address>', 'address to listen on; 0.0.0.0 lets other machines in', '127.0.0.1')
    .option('--port <n>', 'port; 0 takes a free one', parsePort, 5000)
    .addOption(shellOption())
    .option('--data-dir <folder>', 'where sessions are kept (default: the folder server in ORRERY_HOME)')
    .option(
      '--log-level <level>',
      'DEBUG, INFO, WARNING, ERROR, CRITICAL or OFF (default: ORRERY_LOG_LEVEL, else WARNING)',
      parseLogLevel,
    )
    .option('--config <file>', "the device's configuration (default: the file device.jsonc in ORRERY_HOME)")
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
  const [{ deviceSettings, localDevice, socketUrl }, { startDevice }, { sessionLines }, { welcome }] = await Promise.all([
    import('../start-device.js'),
    import('@orrery/device'),
    import('../session-lines.js'),
    import('../welcome.js'),
  ])
  const logger = await createLogger(chooseLogLevel(options.logLevel))
  const settings = await deviceSettings(options)
  const { clientId, config } = settings
  const model = await configuredModel()
  const made = ensureKey('operator.key')
  const deviceKey = ensureKey('device.key')
  const server = await startLocalServer({
    host: options.host,
    port: options.port,
    operatorKey: findKey({ name: '--api-key', value: undefined }, 'operator.key')?.key ?? made,
    deviceKey,
    dataDir: options.dataDir === undefined ? inHome('server') : resolve(options.dataDir),
    model,
    logger,
  })
  const device = startDevice({
    ...localDevice(settings),
    serverUrl: socketUrl(server.url),
    token: deviceKey,
    logger,
    persistent: true,
  })
  const stop = async (): Promise<void> => {
    await device.stop()
    await server.stop()
  }
  try {
    await device.registered
  } catch (cause) {
    await stop()
    throw new CliError(`The device cannot join its own server: ${cause instanceof Error ? cause.message : ''}`, undefined, {
      cause,
    })
  }
  for (const line of welcome({
    url: server.url,
    host: options.host,
    port: server.port,
    clientId,
    shell: config.shell,
    deviceKey,
    model: model?.main.model ?? null,
  }))
    print(line)
  server.onSessionEvent(sessionLines(print))
  await serve(stop)
}
