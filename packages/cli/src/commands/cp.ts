import { resolve } from 'node:path'
import { messageOf } from '@orrery/aip'
import type { OrreryApi } from '@orrery/constellation'
import { Command } from 'commander'
import { CopyProgress } from '../copy/copy-progress.js'
import { copyPlace, fileNameIn, targetPath, type CopyPlace } from '../copy/copy-place.js'
import { localSource, localTarget, writeLocal } from '../copy/local-file.js'
import { CliError, EXIT, usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { onInterrupt } from '../terminal/interrupt.js'
import { printJson } from '../terminal/write.js'
import { type TargetOptions, connect, pickDevice, withTarget } from '../settings/target.js'

interface CopyOptions extends TargetOptions {
  force?: boolean
}

/** What was copied, as `--json` prints it. */
interface Copied {
  session_id: string
  /** Real paths, where they are known. */
  from: string
  to: string
  bytes: number
  /** MD5, in hex. */
  checksum: string
}

/** What a copy works with. */
interface Copy {
  api: OrreryApi
  device: string
  from: string
  to: string
  force: boolean
  signal: AbortSignal
}

/** What to do about errors of the server that do not say it themselves. */
const HINTS: Readonly<Record<string, string>> = {
  FILE_EXISTS: '; --force replaces it',
  PATH_KIND: "; the path of a folder ends with '/'",
}

/** `orrery cp`: a file from or to a device. */
export function cpCommand(): Command {
  const command = new Command('cp')
    .summary('copy a file from or to a device')
    .description(
      'Copies one file, of any size, between this machine and a device. An existing file is kept, and one that does not ' +
        'come whole is not there at all. What a device sends and takes its policy decides. Ctrl-C ends the copy.',
    )
    .argument('<from>', 'a path on this machine; DEVICE:PATH; or :PATH on the only device that is online')
    .argument('<to>', "the same; where it ends with '/', or is a folder of this machine, the file keeps its name")
    .option('-f, --force', 'replace an existing file')
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery cp laptop:/var/log/syslog ./', 'from a device, into this folder'],
        ['orrery cp ./image.iso laptop:/home/me/', 'to a device, into an existing folder'],
        ['orrery cp :notes.txt notes.txt --force', 'from the only device; its paths start in the folder where it was started'],
      ]),
    )
    .action(cp)
}

async function cp(fromWord: string, toWord: string, options: CopyOptions): Promise<void> {
  const api = await connect(options)
  const [from, to] = await Promise.all([placeOf(api, fromWord), placeOf(api, toWord)])
  const remote = [from, to].filter((place) => place.on === 'device')
  const [only, other] = remote
  if (only === undefined) throw usageError('Neither is on a device: name one as DEVICE:PATH, or as :PATH if only one is online')
  if (other !== undefined) throw usageError('Both are on a device: copy to this machine first, and from here on')
  const device = await pickDevice(api, only.device, 'as DEVICE:PATH')
  const stop = new AbortController()
  const release = onInterrupt(() => stop.abort())
  const copy = { api, device, from: from.path, to: to.path, force: options.force === true, signal: stop.signal }
  try {
    const copied = await (from.on === 'device' ? download(copy) : upload(copy))
    if (options.json) printJson({ device_id: device, ...copied })
  } catch (error) {
    if (stop.signal.aborted) throw new CliError('Interrupted; nothing was copied', EXIT.interrupted, { cause: error })
    const hint = error instanceof Error && 'code' in error ? HINTS[String(error.code)] : undefined
    throw hint === undefined ? error : new CliError(`${messageOf(error)}${hint}`, undefined, { cause: error })
  } finally {
    release()
  }
}

/** The devices are asked for only where the word alone does not say which one is meant. */
async function placeOf(api: OrreryApi, word: string): Promise<CopyPlace> {
  const place = copyPlace(word)
  if (place.on === 'here' || !place.path.includes(':')) return place
  return copyPlace(
    word,
    (await api.devices.list()).map((device) => device.device_id),
  )
}

async function download({ api, device, from, to, force, signal }: Copy): Promise<Copied> {
  const name = fileNameIn(from)
  if (name === '') throw usageError(`'${from}' does not name a file; only single files are copied`)
  const target = await localTarget(to, name, force)
  let size = 0
  using progress = new CopyProgress(name, device, () => size)
  const file = await api.devices.readFile(device, from, { signal })
  size = file.size
  let path = from
  const verify = async (checksum: string): Promise<void> => {
    const sent = await file.sent()
    path = sent?.path ?? from
    if (sent !== null && sent.checksum !== checksum)
      throw new CliError(`The file came damaged: its checksum is ${checksum}, at the device it is ${sent.checksum}`)
  }
  const checksum = await writeLocal(target, counted(file.content, progress), { force, verify })
  progress.done(target)
  return { session_id: file.sessionId, from: path, to: resolve(target), bytes: size, checksum }
}

async function upload({ api, device, from, to, force, signal }: Copy): Promise<Copied> {
  const source = await localSource(from)
  const path = targetPath(to, fileNameIn(resolve(from)))
  using progress = new CopyProgress(fileNameIn(from), device, () => source.size)
  let failed: unknown = null
  const bytes = counted(source.bytes, progress, (error) => (failed = error))
  const options = { bytes, size: source.size, overwrite: force }
  const written = await api.devices
    .writeFile(device, path, options, { signal })
    .catch((error: unknown) => Promise.reject(failed ?? error))
  const checksum = source.checksum()
  if (written.checksum !== checksum)
    throw new CliError(`The file arrived damaged: its checksum is ${checksum}, at the device it is ${written.checksum}`)
  progress.done(`${device}:${written.path}`)
  return { session_id: written.session_id, from: resolve(from), to: written.path, bytes: written.bytes, checksum }
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
