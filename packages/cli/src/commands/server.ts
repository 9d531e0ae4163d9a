import { Command, InvalidArgumentError, Option } from 'commander'
import { usageError } from '../errors.js'
import { examples } from '../help.js'
import { ensureKey, findKey, inHome } from '../home.js'
import { orrery } from '../invocation.js'
import { type LogLevel, chooseLogLevel, createLogger, parseLogLevel } from '../logging.js'
import { paint, print } from '../output.js'
import { type Durability, type ServerConfig, isPort, readServerConfig } from '../server-config.js'
import { serve } from '../service.js'
import { startLocalServer } from '../start-server.js'
import { resolve } from 'node:path'

interface Options {
  host?: string
  port?: number
  apiKey?: string
  platform?: string
  local?: boolean
  logLevel?: LogLevel
  dataDir?: string
  config?: string
  durability?: Durability
}

/** `orrery server`: an agent server. */
export function serverCommand(): Command {
  return new Command('server')
    .summary('start a server alone')
    .description('Starts an agent server: it keeps the sessions, and devices and commands connect to it.')
    .option('--host <address>', 'address to listen on; 0.0.0.0 lets other machines in (default: 127.0.0.1)')
    .option('--port <n>', 'port; 0 takes a free one (default: 5000)', parsePort)
    .option('--local', 'listen on 127.0.0.1, whatever the configuration says')
    .option(
      '--api-key <key>',
      'operator key (default: ORRERY_API_KEY, else the file operator.key in ORRERY_HOME, made if missing)',
    )
    .option('--platform <name>', 'treat every device as of this platform')
    .option('--data-dir <folder>', 'where sessions are kept (default: the folder server in ORRERY_HOME)')
    .addOption(new Option('--durability <how>', 'full also survives power loss (default: normal)').choices(['normal', 'full']))
    .option(
      '--log-level <level>',
      'DEBUG, INFO, WARNING, ERROR, CRITICAL or OFF (default: ORRERY_LOG_LEVEL, else WARNING)',
      parseLogLevel,
    )
    .option('--config <file>', 'JSON file with host, port, log_level, data_dir and durability')
    .addHelpText(
      'after',
      examples([
        ['orrery server', 'for this machine only'],
        ['orrery server --host 0.0.0.0 --port 8080', 'for other machines too; they need a key'],
        ['orrery server --config server.json --durability full', 'with settings from a file'],
      ]),
    )
    .action(server)
}

async function server(options: Options): Promise<void> {
  if (options.local && options.host !== undefined) throw usageError('Give --local or --host, not both')
  const config: ServerConfig = options.config === undefined ? {} : readServerConfig(options.config)
  const logger = await createLogger(chooseLogLevel(options.logLevel, config.log_level))
  // The file is made in any case: commands on this machine look there.
  const made = ensureKey('operator.key')
  const found = findKey({ name: '--api-key', value: options.apiKey }, 'operator.key')
  const durability = options.durability ?? config.durability
  const running = await startLocalServer({
    host: options.local ? '127.0.0.1' : (options.host ?? config.host ?? '127.0.0.1'),
    port: options.port ?? config.port ?? 5000,
    operatorKey: found?.key ?? made,
    deviceKey: ensureKey('device.key'),
    dataDir: options.dataDir === undefined ? (config.data_dir ?? inHome('server')) : resolve(options.dataDir),
    ...(durability === undefined ? {} : { durability }),
    ...(options.platform === undefined ? {} : { platform: options.platform }),
    logger,
  })
  print(`Server is ready at ${paint('bold', running.url)}`)
  print(paint('dim', `Keys are in ${inHome()}. Start a device with: ${orrery('device')}`))
  await serve(() => running.stop())
}

/** Reads the value of `--port`. */
export function parsePort(text: string): number {
  const port = text.trim() === '' ? NaN : Number(text)
  if (isPort(port)) return port
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
}
