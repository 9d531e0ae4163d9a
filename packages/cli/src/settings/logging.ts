import { visibleText, type Logger } from '@orrery/aip'
import { InvalidArgumentError } from 'commander'
import { usageError } from '../terminal/errors.js'
import { type Style, harmless, joined, paint, painted } from '../terminal/painted.js'
import { note } from '../terminal/write.js'

/** The names of the log levels, as the flag and the environment take them in any case, and pino's names for them. */
const LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', CRITICAL: 'fatal', OFF: 'silent' } as const

/** A log level by its name. */
export type LogLevel = keyof typeof LEVELS

/** What the terminal shows of pino's numbers. */
const SHOWN: Record<number, { label: string; style: Style }> = {
  20: { label: 'debug', style: 'dim' },
  30: { label: 'info', style: 'cyan' },
  40: { label: 'warning', style: 'yellow' },
  50: { label: 'error', style: 'red' },
  60: { label: 'critical', style: 'red' },
}

const NAMES = Object.keys(LEVELS).join(', ')

/** The level of a name in any case, or undefined. */
export function toLogLevel(name: string): LogLevel | undefined {
  const upper = name.toUpperCase()
  return Object.keys(LEVELS).find((level): level is LogLevel => level === upper)
}

/** Reads the value of `--log-level`. */
export function parseLogLevel(text: string): LogLevel {
  const level = toLogLevel(text)
  if (level === undefined) throw new InvalidArgumentError(`It must be one of ${NAMES}.`)
  return level
}

/** The level from the flag, the environment or a file, in this order, else WARNING. */
export function chooseLogLevel(flag: LogLevel | undefined, file?: LogLevel): LogLevel {
  if (flag !== undefined) return flag
  const name = process.env['ORRERY_LOG_LEVEL']
  if (name === undefined || name === '') return file ?? 'WARNING'
  const level = toLogLevel(name)
  if (level === undefined) throw usageError(`ORRERY_LOG_LEVEL is '${name}'; it must be one of ${NAMES}`)
  return level
}

/**
 * A logger on stderr: lines to read, with the date where it is not a terminal; JSON with `ORRERY_LOG_FORMAT=json`.
 * @param said what begins entries that a command says in lines of its own, which a terminal need not show twice
 * @throws {CliError} with exit code 2
 */
export async function createLogger(level: LogLevel, said?: string): Promise<Logger> {
  const { pino } = await import('pino')
  const stream = isJson() ? pino.destination({ fd: 2, sync: true }) : { write: (json: string) => writeForPeople(json, said) }
  // The file of a log is shown in a terminal later.
  const hooks = { streamWrite: visibleText }
  const logger: Logger = pino({ level: LEVELS[level], base: null, hooks }, stream)
  return logger
}

function isJson(): boolean {
  const format = process.env['ORRERY_LOG_FORMAT']
  if (format === undefined || format === '' || format === 'text') return false
  if (format === 'json') return true
  throw usageError(`ORRERY_LOG_FORMAT is '${format}'; it must be text or json`)
}

function writeForPeople(json: string, said: string | undefined): void {
  const record = JSON.parse(json) as { time: number; level: number; msg?: string }
  if (process.stderr.isTTY && said !== undefined && record.msg?.startsWith(said) === true) return
  const { label, style } = SHOWN[record.level] ?? { label: 'log', style: 'dim' }
  const at = new Date(record.time)
  const time = process.stderr.isTTY ? at.toTimeString().slice(0, 8) : at.toISOString()
  // Only the first line of a message begins like an entry, so that none can look like two.
  const lines = harmless(record.msg ?? '').split('\n')
  const message = joined(lines, `\n${' '.repeat(time.length + 10)}`)
  note(painted`${paint('dim', time)} ${paint(style, label.padEnd(8))} ${message}`)
}
