/**
 * Why a log could not do what it was asked:
 * `FULL` the disk (or the log's own limit) has no room; `BROKEN` the file cannot be read or written; `TOO_NEW` a newer version
 * wrote the file; `IN_USE` another process has it open; `CLOSED` the log was closed.
 */
export type LogErrorCode = 'FULL' | 'BROKEN' | 'TOO_NEW' | 'IN_USE' | 'CLOSED'

/** A failure of a log. The message can be shown to a user; `cause` is what SQLite or the system said. */
export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogErrorCode
  /** The process that has the file open, for `IN_USE`; null if it is not known. */
  readonly owner: number | null

  constructor(code: LogErrorCode, message: string, { owner = null, ...options }: ErrorOptions & { owner?: number | null } = {}) {
    super(message, options)
    this.code = code
    this.owner = owner
  }
}

/** SQLite's primary result codes (https://sqlite.org/rescode.html) that do not mean `BROKEN`. */
const BUSY = 5
const FULL = 13

/** What an error of SQLite or of the file system means. @param path of the log, for the message @param owner who has the file open, if known */
export function toLogError(error: unknown, path: string, owner: number | null = null): LogError {
  if (error instanceof LogError) return error
  const options = { cause: error }
  const code = primaryCode(error)
  if (code === BUSY) {
    const process = owner === null ? 'Another process' : `Another process (pid ${owner})`
    return new LogError('IN_USE', `${process} has ${path} open`, { ...options, owner })
  }
  if (code === FULL) return new LogError('FULL', `No room left for ${path}: nothing was recorded`, options)
  const detail = error instanceof Error ? error.message : String(error)
  return new LogError('BROKEN', `Cannot use ${path}: ${detail}`, options)
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  // Extended codes have the primary one in their lowest byte.
  return error.errcode & 0xff
}
