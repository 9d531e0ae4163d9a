import { readFileSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'
import { messageOf, type Clock, type Logger, type Timer } from '@orrery/aip'
import type { DeviceConfig } from './device-config.js'
import { DEVICE_LIMITS } from '../limits.js'

/** Quiet time after a change before the file is read, in milliseconds: editors write in several steps. */
const SETTLE = 200

/** Where a device's configuration comes from. */
export interface ConfigFile {
  path: string
  /** Reads the file and what overrides it. @throws if the file is invalid */
  load: () => Promise<DeviceConfig>
}

/** What a {@link ConfigWatcher} is built from. */
export interface ConfigWatcherOptions {
  file: ConfigFile
  /** Other files that the current configuration consists of. */
  parts: () => readonly string[]
  /** Applies a configuration. @throws if it cannot be applied; nothing has changed then */
  onConfig: (config: DeviceConfig) => void
  clock: Clock
  logger: Logger
}

/**
 * Watches a device's configuration and hands over each new one; an invalid one is reported in the log and ignored. What counts
 * is what the file says, so it may be written in place, replaced, removed and made again.
 */
export class ConfigWatcher {
  readonly #options: ConfigWatcherOptions
  readonly #folder: FSWatcher | null
  #seen: string
  #next: Timer
  #looking: Promise<void> = Promise.resolve()
  #closed = false

  /** Starts watching. The current configuration counts as known. */
  constructor(options: ConfigWatcherOptions) {
    this.#options = options
    this.#seen = this.#read()
    this.#folder = this.#watchFolder()
    this.#next = this.#lookIn(DEVICE_LIMITS.configLook)
  }

  /** Settles when no change is being handed over. */
  async close(): Promise<void> {
    this.#closed = true
    this.#folder?.close()
    this.#next.cancel()
    await this.#looking
  }

  /** The folder, because a file that is replaced is another file. */
  #watchFolder(): FSWatcher | null {
    const { path } = this.#options.file
    try {
      const folder = watch(dirname(path), { persistent: false }, (_event, name) => {
        if (name !== null && name !== basename(path)) return
        this.#next.cancel()
        this.#next = this.#lookIn(SETTLE)
      })
      return folder.on('error', () => folder.close())
    } catch {
      // Looking from time to time is enough.
      return null
    }
  }

  #lookIn(ms: number): Timer {
    const timer = this.#options.clock.after(ms, () => {
      this.#looking = this.#looking
        .then(() => this.#look())
        .then(() => {
          // A change meanwhile has scheduled another check.
          if (!this.#closed && this.#next === timer) this.#next = this.#lookIn(DEVICE_LIMITS.configLook)
        })
    })
    return timer
  }

  async #look(): Promise<void> {
    const { file, onConfig, logger } = this.#options
    const text = this.#read()
    if (text === this.#seen) return
    this.#seen = text
    try {
      const config = await file.load()
      if (this.#closed) return
      onConfig(config)
      logger.info(`[Config] ${file.path} has changed and was taken up`)
    } catch (error) {
      logger.error(`[Config] The previous configuration stays in effect: ${messageOf(error)}`)
    }
  }

  #read(): string {
    const { file, parts } = this.#options
    return JSON.stringify([file.path, ...parts()].map((path) => textOf(path)))
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
