import { readFileSync } from 'node:fs'
import { messageOf } from '@orrery/aip'
import type { ServerConfig, ServerOptions } from '@orrery/server'
import { Command, InvalidArgumentError, Option } from 'commander'
import { usageError } from '../errors.js'
import { examples } from '../help.js'
import { ensureKey, findKey, inHome } from '../home.js'
import { orrery } from '../invocation.js'
import { type LogLevel, chooseLogLevel, createLogger, parseLogLevel, toLogLevel } from '../logging.js'
import { staySmallAsServer } from '../memory-guard.js'
import { paint, print } from '../output.js'
import { serve } from '../service.js'
import { configuredModel } from '../configured-model.js'
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
  durability?: 'normal' | 'full'
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
    .option(
      '--config <file>',
      'YAML or JSON file with these and further settings, such as tls; docs/schema/server.schema.json has all',
    )
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
  staySmallAsServer()
  if (options.local && options.host !== undefined) throw usageError('Give --local or --host, not both')
  const config = await readServerConfig(options.config)
  const logger = await createLogger(chooseLogLevel(options.logLevel, levelOf(config.log_level)))
  // The file is made in any case: commands on this machine look there.
  const made = ensureKey('operator.key')
  const found = findKey({ name: '--api-key', value: options.apiKey }, 'operator.key')
  const running = await startLocalServer({
    ...furtherSettings(config),
    host: options.local ? '127.0.0.1' : (options.host ?? config.host ?? '127.0.0.1'),
    port: options.port ?? config.port ?? 5000,
    operatorKey: found?.key ?? made,
    deviceKey: ensureKey('device.key'),
    dataDir: options.dataDir === undefined ? (config.data_dir ?? inHome('server')) : resolve(options.dataDir),
    ...defined('durability', options.durability ?? config.durability),
    ...defined('platform', options.platform ?? config.platform),
    model: await configuredModel(config.model),
    logger,
  })
  print(`Server is ready at ${paint('bold', running.url)}`)
  print(paint('dim', `Keys are in ${inHome()}. Start a device with: ${orrery('device')}`))
  await serve(() => running.stop())
}

/** The configuration of a server; nothing without a file. @throws {CliError} with exit code 2 */
export async function readServerConfig(path: string | undefined): Promise<ServerConfig> {
  if (path === undefined) return {}
  const { loadServerConfig } = await import('@orrery/server')
  try {
    return loadServerConfig(path)
  } catch (error) {
    throw usageError(messageOf(error), error)
  }
}

function levelOf(name: string | undefined): LogLevel | undefined {
  if (name === undefined) return undefined
  return toLogLevel(name) ?? usageFailure(`log_level is '${name}'; it must be DEBUG, INFO, WARNING, ERROR, CRITICAL or OFF`)
}

function usageFailure(message: string): never {
  throw usageError(message)
}

/** What only the file can say. */
function furtherSettings(config: ServerConfig): Partial<ServerOptions> {
  const { tls, client_id_pattern: pattern, heartbeat_timeout_s: timeout, retention_h: retention } = config
  const milliseconds = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : seconds * 1000)
  return {
    ...defined('dialect', config.dialect),
    ...defined('maxClients', config.max_clients),
    ...defined('platforms', config.platforms),
    ...defined('takeover', config.takeover),
    ...defined('devicesFile', config.devices_file),
    ...defined('clientIdPattern', pattern === undefined ? undefined : new RegExp(pattern)),
    ...defined('heartbeatTimeoutMs', milliseconds(timeout)),
    ...defined('resumeGraceMs', milliseconds(config.resume_grace_s)),
    ...defined('resumeSilenceMs', milliseconds(config.silence_s)),
    ...defined('retentionMs', retention === undefined ? undefined : retention * 3_600_000),
    ...defined(
      'tls',
      tls && { cert: readPem(tls.cert), key: readPem(tls.key), clientCa: tls.client_ca && readPem(tls.client_ca) },
    ),
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usageError(`Cannot read the file for TLS: ${messageOf(error)}`, error)
  }
}

/** An object with this key, or without it if there is no value. */
function defined<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V })
}

/** Reads the value of `--port`. */
export function parsePort(text: string): number {
  const port = text.trim() === '' ? NaN : Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
}
