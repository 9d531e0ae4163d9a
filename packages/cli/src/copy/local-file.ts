import { createHash, randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { link, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '@orrery/aip'
import { CliError, usageError } from '../terminal/errors.js'

/** A file of this machine that is sent. */
export interface LocalSource {
  /** Bytes. */
  size: number
  /** Permissions in octal, and the time of the last change. */
  mode: string
  modified: Date
  /** The bytes; as many as `size`, also of a file that grows. @throws {CliError} */
  bytes: AsyncGenerator<Uint8Array, void, void>
  /** MD5 of the bytes, in hex, once they are read. */
  checksum(): string
}

const PIECE = 256 * 1024

/** Opens a file to send. @throws {CliError} with exit code 2 if it cannot be read */
export async function localSource(path: string): Promise<LocalSource> {
  const file = await open(path, 'r').catch((error: unknown) =>
    Promise.reject(usageError(`Cannot read the file: ${messageOf(error)}`, error)),
  )
  const stats = await file.stat()
  if (!stats.isFile()) {
    await file.close()
    throw usageError(`'${path}' is not a file`)
  }
  const { size } = stats
  const hash = createHash('md5')
  async function* read(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (let at = 0; at < size;) {
        // A buffer of its own for each piece: the connection may still hold the last one.
        const buffer = Buffer.allocUnsafe(Math.min(PIECE, size - at))
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
        if (bytesRead === 0) throw new CliError(`'${path}' became shorter while it was copied`)
        at += bytesRead
        const piece = buffer.subarray(0, bytesRead)
        hash.update(piece)
        yield piece
      }
    } finally {
      await file.close()
    }
  }
  const mode = (stats.mode & 0o777).toString(8)
  return { size, mode, modified: stats.mtime, bytes: read(), checksum: () => hash.digest('hex') }
}

/**
 * The file that a copy makes on this machine.
 * @param path of the file, or of an existing folder
 * @param name of the file in a folder
 * @param force whether an existing file is replaced
 * @throws {CliError} if it exists, or is something other than a file
 */
export async function localTarget(path: string, name: string, force: boolean): Promise<string> {
  const at = /[\\/]$/.test(path) || (await kindOf(path)) === 'folder' ? join(path, name) : path
  const kind = await kindOf(at)
  if (kind === 'nothing') return at
  if (kind !== 'file') throw new CliError(`'${at}' is there and is not a file`)
  if (!force) throw new CliError(`'${at}' is there already; --force replaces it`)
  return realpath(at)
}

/** What a path of this machine leads to. @throws {CliError} if that cannot be seen */
export async function kindOf(path: string): Promise<'nothing' | 'file' | 'folder' | 'other'> {
  const stats = await stat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new CliError(messageOf(error), undefined, { cause: error })
  })
  if (stats === null) return 'nothing'
  return stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other'
}

/**
 * Writes a file of this machine as a whole: until it is complete it has another name, and a copy that fails leaves nothing.
 * @param verify is given the MD5 of the bytes, in hex, before the file gets its name; it may throw
 * @throws {CliError} if it cannot be written; what `content` and `verify` throw
 */
export async function writeLocal(
  path: string,
  content: AsyncIterable<Uint8Array>,
  { force, verify }: { force: boolean; verify: (checksum: string) => Promise<void> },
): Promise<string> {
  const part = `${path}.${randomUUID().slice(0, 8)}.part`
  const mode = force ? ((await stat(path).catch(() => null))?.mode ?? 0o666) & 0o777 : 0o666
  const file = await open(part, 'wx', mode).catch((error: unknown) => Promise.reject(unwritable(error)))
  // The second Ctrl-C ends the process at once.
  const remove = (): void => rmSync(part, { force: true })
  process.once('exit', remove)
  const hash = createHash('md5')
  try {
    for await (const piece of content) {
      hash.update(piece)
      await file.writeFile(piece).catch((error: unknown) => Promise.reject(unwritable(error)))
    }
    const checksum = hash.digest('hex')
    await verify(checksum)
    await file.sync().catch((error: unknown) => Promise.reject(unwritable(error)))
    await file.close()
    await (force ? rename(part, path) : enter(part, path)).catch((error: unknown) => Promise.reject(unwritable(error)))
    return checksum
  } finally {
    await file.close().catch(() => {})
    await rm(part, { force: true })
    process.off('exit', remove)
  }
}

/** Gives a file its name unless there is one of that name by now; not every file system has links. */
async function enter(part: string, path: string): Promise<void> {
  await link(part, path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw error
    return rename(part, path)
  })
}

function unwritable(cause: unknown): CliError {
  return new CliError(`Cannot write the file: ${messageOf(cause)}`, undefined, { cause })
}
