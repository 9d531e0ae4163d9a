import { basename, dirname } from 'node:path'
import { z } from 'zod'
import { fileError } from '../../paths/file-error.js'
import { defineTool } from '../define-tool.js'
import { EntryInfo, entryInfo } from './entry-info.js'
import type { FilesState } from './files-state.js'
import { Folder } from './folder.js'
import { FILE_LIMITS } from './limits.js'
import { walk } from './walk.js'

const { entries, entriesMost, depth } = FILE_LIMITS

/** `list_files`: what is in a folder. */
export const listFiles = defineTool({
  name: 'list_files',
  title: 'List files',
  description:
    'Lists what is in a folder: path, type, size and time of each entry, folders before what is in them, by name. ' +
    `Links are shown and not followed. With depth above 1 it goes into folders too. At most limit entries (${entries} unless said).`,
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  input: z.object({
    path: z.string().default('.').describe('Folder, absolute or relative to the start folder of the device'),
    depth: z.number().int().min(1).max(depth).default(1).describe('Levels of folders to list'),
    limit: z.number().int().min(1).max(entriesMost).default(entries),
  }),
  output: z.object({
    path: z.string(),
    entries: z.array(EntryInfo),
    truncated: z.boolean().describe('There are more entries than limit'),
  }),
  describeCall: ({ path }, { roots }) => ({ paths: [{ path: roots.absolute(path), access: 'read' }] }),
  run: async (args, { roots }: FilesState, signal) => {
    await using folder = await Folder.open(await roots.target(args.path), roots, args.path)
    const found: EntryInfo[] = []
    for await (const entry of walk(folder, { roots, depth: args.depth, signal })) {
      if (found.length === args.limit) return { path: folder.path, entries: found, truncated: true }
      // What went away meanwhile is left out.
      const info = await entryInfo(entry.folder, entry.name).catch(() => null)
      if (info !== null) found.push(info)
    }
    return { path: folder.path, entries: found, truncated: false }
  },
})

/** `stat_file`: what an entry is. */
export const statFile = defineTool({
  name: 'stat_file',
  title: 'Look at a file',
  description:
    'Says what a path is: file, folder or link, its size, time of change and permissions. A link is described, not followed.',
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  input: z.object({ path: z.string().describe('Absolute, or relative to the start folder of the device') }),
  output: EntryInfo,
  describeCall: ({ path }, { roots }) => ({ paths: [{ path: roots.absolute(path), access: 'read', entry: true }] }),
  run: async ({ path }, { roots }: FilesState) => {
    const entry = await roots.entry(path)
    try {
      await using place = await openPlace(entry, roots, path)
      return await entryInfo(place.folder, place.name)
    } catch (error) {
      throw fileError(error, path)
    }
  },
})

/** The folder that holds an entry; a root, whose own folder is out of bounds, is opened itself. */
async function openPlace(
  entry: string,
  roots: FilesState['roots'],
  shown: string,
): Promise<AsyncDisposable & { folder: Folder; name: string }> {
  const inner = await roots.allows(dirname(entry))
  const folder = inner ? await Folder.above(entry, roots, shown) : await Folder.open(await roots.target(shown), roots, shown)
  return { folder, name: inner ? basename(entry) : '', [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}
