import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { makeFolder } from '@orrery/log/make-folder'
import { usageError } from '../terminal/errors.js'
import { download, upload, type Copied, type CopyContext } from './copy-file.js'
import { fileNameIn, targetPath } from './copy-place.js'
import type { DeviceFiles } from './device-files.js'
import { kindOf, localSource, localTarget } from './local-file.js'
import type { WantedFile } from './wanted-files.js'

/** The largest file that is written with a tool, to make its folder on the device; larger ones are transferred. Bytes. */
const WRITTEN = 8 * 1024 * 1024

/** Copies files of a device to this machine. @param to `-` is stdout @throws {CliError} */
export async function downloadAll(context: CopyContext, wanted: readonly WantedFile[], to: string): Promise<Copied[]> {
  const [only, ...others] = wanted
  if (to === '-') {
    if (only === undefined || others.length > 0) throw usageError('Only one file can be copied to stdout')
    return [await download(context, { from: only.path, name: only.below, entry: only.entry }, null)]
  }
  const intoFolder = others.length > 0 || (only?.below.includes('/') ?? false)
  const exists = (await kindOf(to)) === 'folder'
  const copied: Copied[] = []
  for (const { path, below, entry } of wanted) {
    const target = intoFolder ? await localPlace(to, below, exists, context.force) : await localTarget(to, below, context.force)
    copied.push(await download(context, { from: path, name: fileNameIn(below), entry }, target))
  }
  return copied
}

/** Where a file of several comes: in an existing folder below its name, else in a new one that takes the place of its folder. */
async function localPlace(to: string, below: string, exists: boolean, force: boolean): Promise<string> {
  const path = join(to, exists || !below.includes('/') ? below : below.slice(below.indexOf('/') + 1))
  makeFolder(dirname(path))
  return localTarget(path, fileNameIn(below), force)
}

/** Copies files of this machine to a device. Folders are made there as they are needed. @throws {CliError} */
export async function uploadAll(
  context: CopyContext,
  files: DeviceFiles,
  wanted: readonly WantedFile[],
  to: string,
): Promise<Copied[]> {
  const [only, ...others] = wanted
  if (only === undefined) return []
  if (others.length === 0 && !only.below.includes('/')) {
    const source = await localSource(only.path)
    const exists = /[\\/]$/.test(to) || to === '' ? null : await files.look(to)
    const place = targetPath(exists?.type === 'folder' ? `${to}/` : to, only.below)
    return [await upload(context, source, { from: resolve(only.path), name: only.below, to: place })]
  }
  const exists = /[\\/]$/.test(to) || to === '' || (await files.look(to))?.type === 'folder'
  const base = to === '' || to.endsWith('/') ? to : `${to}/`
  const placed = wanted.map((file) => ({
    file,
    // A folder that does not exist yet takes the place of the one that is copied.
    place: `${base}${exists || !file.below.includes('/') ? file.below : file.below.slice(file.below.indexOf('/') + 1)}`,
  }))
  const known = new Set<string>()
  const copied: Copied[] = []
  // The smallest of a folder first: it makes the folder.
  for (const { file, place } of placed.sort((a, b) => a.file.size - b.file.size)) {
    const folder = place.slice(0, place.lastIndexOf('/') + 1)
    const source = { from: resolve(file.path), name: fileNameIn(file.below), to: place }
    const missing = !known.has(folder) && (await files.look(folder === '' ? '.' : folder)) === null
    known.add(folder)
    // A tool that writes makes the folder too; the copy then replaces what it wrote, with permissions and time.
    const made = missing && file.size <= WRITTEN
    if (made) await files.write(place, await readFile(file.path), !context.force)
    copied.push(await upload({ ...context, force: context.force || made }, await localSource(file.path), source))
  }
  return copied
}
