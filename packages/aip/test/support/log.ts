import type { Logger } from '../../src/logger.js'

/** A log in memory, a line as `level message`. */
export function captureLog(): Logger & { lines: string[] } {
  const lines: string[] = []
  const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
