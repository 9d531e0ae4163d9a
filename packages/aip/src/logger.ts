import { AipError, messageOf } from './define-errors.js'

/** What the packages need from a log. pino's loggers fit unchanged. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** A logger that drops everything. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * Logs something that was thrown. An error of the tables says enough by its text; any other is a defect, whose stack follows (seed 004:
 * `traceback`). The stack is for the log alone, never for a peer.
 * @param what failed
 */
export function logError(logger: Logger, what: string, thrown: unknown): void {
  logger.error(`${what}: ${messageOf(thrown)}`)
  if (thrown instanceof Error && !(thrown instanceof AipError) && thrown.stack !== undefined) logger.error(thrown.stack)
}
