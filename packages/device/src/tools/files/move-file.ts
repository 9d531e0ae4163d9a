import { lstat, rename } from 'node:fs/promises'
import { basename } from 'node:path'
import { aipError } from '@orrery/aip'
import { z } from 'zod'
import { codeOf, fileError } from '../../paths/file-error.js'
import { defineTool } from '../define-tool.js'
import type { FilesState } from './files-state.js'
import { Folder } from './folder.js'
import { deviceError } from '../../errors.js'

/** `move_file`: another name or place for a file or folder. */
export const moveFile = defineTool({
  name: 'move_file',
  title: 'Move or rename',
  description:
    'Moves or renames a file, a folder or a link (not what it leads to). Missing folders of the new place are made. ' +
    'What is at the new place is kept and the call fails, unless replace is set; a folder is never replaced.',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
  input: z.object({
    from: z.string().describe('Absolute, or relative to the start folder of the device'),
    to: z.string().describe('The new path, with the new name'),
    replace: z.boolean().default(false).describe('Replace a file that is at the new place'),
  }),
  output: z.object({ from: z.string(), to: z.string() }),
  describeCall: ({ from, to }, { roots }) => ({
    paths: [
      { path: roots.absolute(from), access: 'change', deep: true, entry: true },
      { path: roots.absolute(to), access: 'change', entry: true },
    ],
  }),
  run: async (args, { roots }: FilesState) => {
    const [from, to] = [await roots.entry(args.from), await roots.entry(args.to)]
    for (const [real, path] of [
      [from, args.from],
      [to, args.to],
    ] as const)
      if (await roots.isAnchored(real)) throw deviceError('PATH_ANCHORED', { path })
    await using source = await Folder.above(from, roots, args.from)
    await lstat(source.at(basename(from))).catch((error: unknown) => Promise.reject(fileError(error, args.from)))
    await using target = await Folder.above(to, roots, args.to, true)
    await refuseLoss(target, basename(to), args.to, args.replace)
    try {
      await rename(source.at(basename(from)), target.at(basename(to)))
    } catch (error) {
      if (codeOf(error) === 'EXDEV')
        throw aipError('FILE_FAILED', { path: args.to, detail: 'it is on another file system; read and write the file instead' })
      throw fileError(error, args.to)
    }
    return { from, to: target.pathOf(basename(to)) }
  },
})

/** The system's own rename silently replaces a file. */
async function refuseLoss(folder: Folder, name: string, shown: string, replace: boolean): Promise<void> {
  const there = await lstat(folder.at(name)).catch(() => null)
  if (there === null) return
  if (!replace || there.isDirectory()) throw aipError('FILE_EXISTS', { path: shown })
}
