import { lstat, readdir, rmdir, unlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { aipError } from '@orrery/aip'
import { z } from 'zod'
import { fileError } from '../../paths/file-error.js'
import { defineTool } from '../define-tool.js'
import type { FilesState } from './files-state.js'
import { Folder } from './folder.js'
import { deviceError } from '../../errors.js'

/** `delete_file`: a file or a folder, for good. */
export const deleteFile = defineTool({
  name: 'delete_file',
  title: 'Delete a file or folder',
  description:
    'Deletes a file, a link (not what it leads to) or an empty folder, for good; with recursive, a folder with all that is in it.',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
  input: z.object({
    path: z.string().describe('Absolute, or relative to the start folder of the device'),
    recursive: z.boolean().default(false).describe('Delete what is in a folder too'),
  }),
  output: z.object({ path: z.string(), deleted: z.number().describe('Files and folders that are gone') }),
  describeCall: ({ path, recursive }, { roots }) => ({
    paths: [{ path: roots.absolute(path), access: 'change', deep: recursive, entry: true }],
  }),
  run: async ({ path, recursive }, { roots }: FilesState, signal) => {
    const real = await roots.entry(path)
    if (await roots.isAnchored(real)) throw deviceError('PATH_ANCHORED', { path })
    await using folder = await Folder.above(real, roots, path)
    try {
      return { path: real, deleted: await remove(folder, basename(real), recursive, path, signal) }
    } catch (error) {
      throw fileError(error, path)
    }
  },
})

/** Deletes an entry of an open folder; what is in it goes first. Links are never followed. */
async function remove(folder: Folder, name: string, recursive: boolean, shown: string, signal: AbortSignal): Promise<number> {
  if (signal.aborted) throw aipError('TOOL_CANCELLED')
  const stats = await lstat(folder.at(name))
  if (!stats.isDirectory()) {
    await unlink(folder.at(name))
    return 1
  }
  let count = 1
  if (recursive) {
    await using inner = await folder.folder(name, shown)
    for (const each of await readdir(inner.at(''))) count += await remove(inner, each, true, shown, signal)
  }
  await rmdir(folder.at(name))
  return count
}
