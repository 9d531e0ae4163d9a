import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { LIMITS, messageOf, type Logger } from '@orrery/aip'
import type { ServerConfig, ServerOptions } from '@orrery/server'
import { configuredModel } from './configured-model.js'
import { usageError } from '../terminal/errors.js'
import { devicePackage } from './device-package.js'
import { ensureKey, findKey, inHome } from './home.js'
import { readTlsFiles } from './tls-files.js'
import { type LogLevel, chooseLogLevel, createLogger, toLogLevel } from './logging.js'

/** Settings of a server that a command starts. */
export type ServerSettings = ServerOptions & { host: string; port: number; dataDir: string; logger: Logger }

/** What the command line says about a server. */
export interface ServerFlags {
  host?: string
  port?: number
  apiKey?: string
  apiKeyFile?: string
  platform?: string
  logLevel?: LogLevel
  dataDir?: string
  durability?: 'normal' | 'full'
}

/**
 * Settings of a server: flags beat the environment, which beats the configuration. Keys are made if missing.
 * @param configFile see {@link readServerConfig}
 * @throws {CliError} with exit code 2
 */
export async function serverSettings(flags: ServerFlags, configFile: string | undefined): Promise<ServerSettings> {
  const config = await readServerConfig(configFile)
  const logger = await createLogger(chooseLogLevel(flags.logLevel, levelOf(config.log_level)))
  // The file is made in any case: commands on this machine look there.
  const made = await ensureKey('operator.key')
  const found = findKey({ name: '--api-key', value: flags.apiKey, file: flags.apiKeyFile }, 'operator.key')
  const operatorKey = found?.key ?? made
  if (operatorKey.length < LIMITS.shortKey)
    logger.warn(`The operator key has ${operatorKey.length} characters, so it can be guessed: take ${LIMITS.shortKey} or more`)
  return {
    ...furtherSettings(config),
    host: flags.host ?? config.host ?? '127.0.0.1',
    port: flags.port ?? config.port ?? 5000,
    operatorKey,
    deviceKey: await ensureKey('device.key'),
    ...defined('devicePackage', devicePackage()),
    dataDir: flags.dataDir === undefined ? (config.data_dir ?? inHome('server')) : resolve(flags.dataDir),
    ...defined('durability', flags.durability ?? config.durability),
    ...defined('platform', flags.platform ?? config.platform),
    model: await configuredModel(config.model),
    logger,
  }
}

/** The configuration of a server: of the given file, else of `server.yaml` in ORRERY_HOME if it exists. @throws {CliError} with exit code 2 */
export async function readServerConfig(given: string | undefined): Promise<ServerConfig> {
  const usual = inHome('server.yaml')
  if (given === undefined && !existsSync(usual)) return {}
  const { loadServerConfig } = await import('@orrery/server')
  try {
    return loadServerConfig(given ?? usual)
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
    ...defined('resume', config.resume),
    ...defined('workflowAgent', config.workflow_agent),
    ...defined('devicesFile', config.devices_file),
    ...defined('secrets', config.secrets),
    ...defined('messageRate', config.message_rate),
    ...defined('publicUrl', config.public_url),
    ...defined('corsOrigins', config.cors_origins),
    ...defined('trustedProxies', config.trusted_proxies),
    ...defined('clientIdPattern', pattern === undefined ? undefined : new RegExp(pattern)),
    ...defined('heartbeatTimeoutMs', milliseconds(timeout)),
    ...defined('resumeGraceMs', milliseconds(config.resume_grace_s)),
    ...defined('resumeSilenceMs', milliseconds(config.silence_s)),
    ...defined('devicesMayAsk', config.devices_may_ask),
    ...defined('retentionMs', retention === undefined ? undefined : retention * 3_600_000),
    ...defined('tls', tls && readTlsFiles(tls)),
  }
}

/** An object with this key, or without it if there is no value. */
function defined<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V })
}
