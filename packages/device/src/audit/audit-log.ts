import { appendFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, visibleText, type Logger } from '@orrery/aip'
import { makeFolder } from '@orrery/log'

/** One tool call and its outcome. */
export interface AuditEntry {
  /** ISO-8601, when the call was decided about. */
  time: string
  session_id: string | null
  call_id: string | null
  agent: string | null
  /** Who asked the server for it, as the server says; left out if it does not. */
  requested_by?: string
  /** `server/tool`. */
  tool: string
  /** The program of a command, by its name alone; null for other calls. Entries of older versions do not have it. */
  program?: string | null
  /** SHA-256 of the arguments. */
  arguments_hash: string
  /** Only where the owner has switched it on. */
  arguments?: Record<string, unknown>
  decision: 'allow' | 'deny'
  /** What decided, e.g. `policy.rules[0]`. */
  rule: string
  /** `policy`, or who answered the ask. */
  by: string
  /** How it ended, or `started` for what lasts, which has another entry for its end. */
  outcome: string
  /** Of a failure, only where the owner has switched contents on. */
  error: string | null
  duration_ms: number
}

/** What an {@link AuditLog} is built from. */
export interface AuditLogOptions {
  path: string
  /** Size at which a file is rotated, in bytes. */
  maxBytes: number
  /** Number of rotated files that are kept. */
  keep: number
  logger: Logger
}

/** A file of JSON Lines that says what ran on this device. It is rotated at a size; the oldest files are deleted. */
export class AuditLog {
  readonly #options: AuditLogOptions
  /** Lines that are not in the file yet. */
  #waiting: string[] = []
  #writing: Promise<void> | null = null
  #size: number | null = null

  constructor(options: AuditLogOptions) {
    this.#options = options
  }

  /** Adds an entry. It is in the file soon; what cannot be written is reported in the device's log. */
  add(entry: AuditEntry): void {
    this.#waiting.push(`${visibleText(JSON.stringify(entry))}\n`)
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null
    })
  }

  /** Settles when all that was added is in the file. */
  async close(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    const { path, maxBytes, logger } = this.#options
    try {
      this.#size ??= await this.#begin()
      while (this.#waiting.length > 0) {
        if (this.#size >= maxBytes) await this.#putAside()
        const text = this.#waiting.join('')
        this.#waiting = []
        await appendFile(path, text, { mode: 0o600 })
        this.#size += Buffer.byteLength(text)
      }
    } catch (error) {
      logger.error(`The audit file ${path} cannot be written: ${messageOf(error)}`)
      this.#waiting = []
      this.#size = null
    }
  }

  async #begin(): Promise<number> {
    const { path } = this.#options
    makeFolder(dirname(path))
    return (await stat(path).catch(() => null))?.size ?? 0
  }

  /** `audit.jsonl` becomes `audit.jsonl.1`, that one `.2`, and so on. */
  async #putAside(): Promise<void> {
    const { path, keep } = this.#options
    await rm(`${path}.${keep}`, { force: true })
    for (let at = keep - 1; at >= 1; at -= 1) await rename(`${path}.${at}`, `${path}.${at + 1}`).catch(() => {})
    if (keep > 0) await rename(path, `${path}.1`)
    else await rm(path)
    this.#size = 0
  }
}
