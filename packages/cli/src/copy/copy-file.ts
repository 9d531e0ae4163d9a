import { chmod, utimes } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { OrreryApi } from '@orrery/constellation'
import { CliError } from '../terminal/errors.js'
import { printPiece } from '../terminal/write.js'
import { CopyProgress } from './copy-progress.js'
import { copyWaits } from './copy-waits.js'
import type { Entry } from './device-files.js'
import { writeLocal, type LocalSource } from './local-file.js'

/** What was copied, as `--json` prints it. */
export interface Copied {
  session_id: string
  /** Real paths, where they are known. */
  from: string
  to: string
  bytes: number
  /** MD5, in hex. */
  checksum: string
}

/** What a copy of one file works with. */
export interface CopyContext {
  api: OrreryApi
  device: string
  force: boolean
  signal: AbortSignal
  /** Whether copies keep permissions and times; not those of a pipe. */
  keeps: boolean
  /** What is copied by now. */
  done: Copied[]
}

/**
 * Copies a file of a device into one of this machine, with its permissions and the time of its last change where they are known.
 * @param target null for stdout
 * @throws {CliError} if it comes damaged, or cannot be written
 */
export async function download(
  { api, device, force, signal, done }: CopyContext,
  { from, name, entry }: { from: string; name: string; entry: Entry | null },
  target: string | null,
): Promise<Copied> {
  let size = 0
  using progress = new CopyProgress(name, device, () => size, copyWaits(api, device, 'send_file'))
  const file = await api.devices.readFile(device, from, { signal })
  size = file.size
  let path = from
  const verify = async (checksum: string): Promise<void> => {
    const sent = await file.sent()
    path = sent?.path ?? from
    if (sent !== null && sent.checksum !== checksum)
      throw new CliError(`The file came damaged: its checksum is ${checksum}, at the device it is ${sent.checksum}`)
  }
  const content = counted(file.content, progress)
  const checksum = target === null ? await toStdout(content, verify) : await writeLocal(target, content, { force, verify })
  const original = {
    mode: file.mode ?? entry?.mode,
    modified: file.modified ?? (entry === null ? undefined : new Date(entry.modified)),
  }
  if (target !== null) await makeAlike(target, original)
  progress.done(target ?? 'stdout')
  const to = target === null ? '-' : resolve(target)
  const copied = { session_id: file.sessionId, from: path, to, bytes: size, checksum }
  done.push(copied)
  return copied
}

/** Copies a file of this machine to a device. @throws {CliError} if it arrives damaged */
export async function upload(
  { api, device, force, signal, keeps, done }: CopyContext,
  source: LocalSource,
  { from, name, to }: { from: string; name: string; to: string },
): Promise<Copied> {
  using progress = new CopyProgress(name, device, () => source.size, copyWaits(api, device, 'receive_file'))
  let failed: unknown = null
  const alike = { mode: source.mode, modified: source.modified }
  const bytes = counted(source.bytes, progress, (error) => (failed = error))
  const written = await api.devices
    .writeFile(device, to, { bytes, size: source.size, overwrite: force, ...(keeps ? alike : {}) }, { signal })
    .catch((error: unknown) => Promise.reject(failed ?? error))
  const checksum = source.checksum()
  if (written.checksum !== checksum)
    throw new CliError(`The file arrived damaged: its checksum is ${checksum}, at the device it is ${written.checksum}`)
  progress.done(`${device}:${written.path}`)
  const copied = { session_id: written.session_id, from, to: written.path, bytes: written.bytes, checksum }
  done.push(copied)
  return copied
}

async function toStdout(content: AsyncIterable<Uint8Array>, verify: (checksum: string) => Promise<void>): Promise<string> {
  const { createHash } = await import('node:crypto')
  const hash = createHash('md5')
  for await (const piece of content) {
    hash.update(piece)
    await printPiece(piece)
  }
  const checksum = hash.digest('hex')
  await verify(checksum)
  return checksum
}

/** Gives a file the permissions that this user's mask allows, and the time of the original. */
async function makeAlike(
  path: string,
  { mode, modified }: { mode: string | undefined; modified: Date | undefined },
): Promise<void> {
  if (mode !== undefined) await chmod(path, Number.parseInt(mode, 8) & 0o777 & ~process.umask())
  if (modified !== undefined && !Number.isNaN(modified.getTime())) await utimes(path, modified, modified)
}

/** Passes bytes on, and counts them. @param failed gets the error that interrupts them */
async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  progress: CopyProgress,
  failed: (error: unknown) => void = () => {},
): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const piece of pieces) {
      yield piece
      progress.moved(piece.byteLength)
    }
  } catch (error) {
    failed(error)
    throw error
  }
}
