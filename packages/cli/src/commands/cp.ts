import { messageOf } from '@orrery/aip'
import type { OrreryApi } from '@orrery/constellation'
import { Command } from 'commander'
import type { Copied } from '../copy/copy-file.js'
import { copyPlace, type CopyPlace } from '../copy/copy-place.js'
import { downloadAll, uploadAll } from '../copy/copy-tree.js'
import { DeviceFiles } from '../copy/device-files.js'
import { deviceFiles, localFiles, stdinFile, type WantedFile } from '../copy/wanted-files.js'
import { CliError, EXIT, usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { onInterrupt } from '../terminal/interrupt.js'
import { printJson } from '../terminal/write.js'
import { type DeviceTargetOptions, connect, namedDevice, pickDevice, withDevice } from '../settings/target.js'

interface CopyOptions extends DeviceTargetOptions {
  force?: true
  recursive?: true
}

/** What to do about errors of the server that do not say it themselves. */
const HINTS: Readonly<Record<string, string>> = {
  FILE_EXISTS: '; --force replaces it',
  PATH_KIND: "; the path of a folder ends with '/'",
}

/** `orrery cp`: a file from or to a device. */
export function cpCommand(): Command {
  const command = new Command('cp')
    .summary('copy files from or to a device')
    .description(
      'Copies files, of any size, between this machine and a device. Existing files are kept, and a file appears only when it is complete. Permissions ' +
        'and the time of the last change are kept. The policy of the device decides what it sends and takes. Ctrl-C ends the copy.',
    )
    .usage('[options] <from...> <to>')
    .argument(
      '<paths...>',
      'paths on this machine; DEVICE:PATH; :PATH on the device of --device, else the only one that is online; - for stdin or stdout',
    )
    .option('-f, --force', 'replace existing files')
    .option('-r, --recursive', 'copy folders with all that is in them, except links')
  return withDevice(command)
    .addHelpText(
      'after',
      examples([
        [
          'orrery cp laptop:notes.txt ./',
          'from a device, whose paths start in the folder where it was started, into this folder',
        ],
        ['orrery cp ./image.iso laptop:/home/me/', 'to a device, into an existing folder'],
        ["orrery cp 'laptop:logs/*.log' ./", 'all that match, quoted so that the shell here does not replace the pattern'],
        ['orrery cp -r ./site :public', 'a folder, to the only device'],
        ['orrery cp laptop:data.json - | jq .', 'into a pipe'],
      ]),
    )
    .action(cp)
}

async function cp(words: string[], options: CopyOptions): Promise<void> {
  const to = words.at(-1)
  if (to === undefined || words.length < 2) throw usageError('Name what is copied, and where to: orrery cp FROM TO')
  const api = await connect(options)
  const places = await Promise.all(words.map((word) => placeOf(api, word)))
  const [target, sources] = [places.at(-1), places.slice(0, -1)]
  const remote = [...new Set(sources.map((place) => (place.on === 'device' ? (place.device ?? '') : null)))]
  const [only, ...others] = remote
  if (target === undefined || only === undefined || others.length > 0) throw usageError('All that is copied must be in one place')
  if (only === null && target.on === 'here')
    throw usageError('Neither is on a device: name one as DEVICE:PATH, or as :PATH if only one is online')
  if (only !== null && target.on === 'device')
    throw usageError('Both are on a device: copy to this machine first, and from here on')
  const word = target.on === 'device' ? target.device : only === null || only === '' ? undefined : only
  const device = await pickDevice(api, namedDevice(word, options), 'as DEVICE:PATH')
  const stop = new AbortController()
  const release = onInterrupt(() => stop.abort())
  const files = new DeviceFiles(api, device)
  const done: Copied[] = []
  const context = { api, device, force: options.force === true, signal: stop.signal, keeps: true, done }
  const recursive = options.recursive === true
  try {
    const copied =
      target.on === 'here'
        ? await downloadAll(context, await all(sources, (path) => deviceFiles(files, path, recursive)), target.path)
        : await uploadLocal(sources, { context, files, to: target.path, recursive })
    if (copied.length === 0) throw usageError('There is no file to copy')
    if (options.json) printJson(copied.length === 1 ? { device_id: device, ...copied[0] } : { device_id: device, files: copied })
  } catch (error) {
    if (stop.signal.aborted) throw new CliError(interruptedText(done.length), EXIT.interrupted, { cause: error })
    const hint = error instanceof Error && 'code' in error ? HINTS[String(error.code)] : undefined
    throw hint === undefined ? error : new CliError(`${messageOf(error)}${hint}`, undefined, { cause: error })
  } finally {
    release()
  }
}

function interruptedText(copied: number): string {
  return `Interrupted; ${copied === 0 ? 'nothing was copied' : copied === 1 ? 'one file was copied' : `${copied} files were copied`}`
}

async function uploadLocal(
  sources: readonly CopyPlace[],
  {
    context,
    files,
    to,
    recursive,
  }: { context: Parameters<typeof uploadAll>[0]; files: DeviceFiles; to: string; recursive: boolean },
): Promise<Copied[]> {
  if (sources.length > 1 || sources[0]?.path !== '-')
    return uploadAll(context, files, await all(sources, (path) => localFiles(path, recursive)), to)
  if (to === '' || /[\\/]$/.test(to)) throw usageError('The standard input has no name: name the file on the device')
  await using stdin = await stdinFile(context.signal)
  const [file] = await localFiles(stdin.path, false)
  return file === undefined ? [] : await uploadAll({ ...context, keeps: false }, files, [file], to)
}

async function all(sources: readonly CopyPlace[], find: (path: string) => Promise<WantedFile[]>): Promise<WantedFile[]> {
  const found: WantedFile[] = []
  for (const { path } of sources) found.push(...(await find(path)))
  return found
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
