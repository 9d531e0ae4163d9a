import type { Logger } from '@orrery/aip'

/** Keeps what is logged as `level message`, and lets a test wait for a line. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = []
  readonly #waiting: { wanted: string; resolve: () => void }[] = []

  debug(message: string): void {
    this.#add('debug', message)
  }

  info(message: string): void {
    this.#add('info', message)
  }

  warn(message: string): void {
    this.#add('warn', message)
  }

  error(message: string): void {
    this.#add('error', message)
  }

  /** Settles when a line holds `wanted`; with `fresh`, one that is logged from now on. */
  until(wanted: string, fresh = false): Promise<void> {
    if (!fresh && this.lines.some((line) => line.includes(wanted))) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ wanted, resolve }))
  }

  count(wanted: string): number {
    return this.lines.filter((line) => line.includes(wanted)).length
  }

  #add(level: string, message: string): void {
    const line = `${level} ${message}`
    this.lines.push(line)
    for (const waiting of this.#waiting.filter(({ wanted }) => line.includes(wanted))) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      waiting.resolve()
    }
  }
}
