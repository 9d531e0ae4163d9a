import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { usageError } from './errors.js'
import { type LogLevel, toLogLevel } from './logging.js'

/** What a server's configuration file may say; flags and the environment beat it. */
export interface ServerConfig {
  host?: string
  port?: number
  log_level?: LogLevel
  /** Absolute here; in the file it may be relative to the file's folder. */
  data_dir?: string
  durability?: Durability
}

/** How safe a commit is: `full` also survives power loss. */
export type Durability = 'normal' | 'full'

const KEYS = ['host', 'port', 'log_level', 'data_dir', 'durability'] as const

/** Reads a server's configuration file. @throws {CliError} that names the file and what is wrong in it */
export function readServerConfig(path: string): ServerConfig {
  const fail = (detail: string, cause?: unknown): never => {
    throw usageError(`${path}: ${detail}`, cause)
  }
  const entries = Object.entries(parse(path, fail))
  const config: ServerConfig = {}
  for (const [key, value] of entries) {
    switch (KEYS.find((known) => known === key)) {
      case 'host':
        config.host = isText(value) ? value : fail('\'host\' must be a text, such as "127.0.0.1"')
        break
      case 'port':
        config.port = isPort(value) ? value : fail("'port' must be a whole number from 0 to 65535")
        break
      case 'log_level':
        config.log_level =
          (isText(value) ? toLogLevel(value) : undefined) ?? fail('\'log_level\' must be the name of a level, such as "INFO"')
        break
      case 'data_dir':
        config.data_dir = isText(value) ? resolve(dirname(path), value) : fail("'data_dir' must be the path of a folder")
        break
      case 'durability':
        config.durability = value === 'normal' || value === 'full' ? value : fail('\'durability\' must be "normal" or "full"')
        break
      case undefined:
        fail(`'${key}' is not known; it may have ${KEYS.join(', ')}`)
    }
  }
  return config
}

/** Whether a value is a port; 0 lets the system choose one. */
export function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function parse(path: string, fail: (detail: string, cause?: unknown) => never): object {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return fail('cannot be read', error)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return fail(`is not JSON (${error instanceof Error ? error.message : ''})`, error)
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : fail('must be a JSON object')
}
