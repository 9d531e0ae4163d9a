import type { BigIntStats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { z } from 'zod'
import type { Folder } from './folder.js'

/** One entry of a folder, as the file tools show it. */
export const EntryInfo = z.object({
  path: z.string().describe('Absolute path'),
  type: z.enum(['file', 'folder', 'link', 'other']),
  size: z.number().describe('Bytes'),
  modified: z.string().describe('Time of the last change, ISO 8601, UTC'),
  mode: z.string().describe('Permissions in octal, e.g. 644'),
  target: z.string().optional().describe('Where a link leads, as it is written in the link'),
})
export type EntryInfo = z.infer<typeof EntryInfo>

/** Looks at an entry; a link is described, not followed. @param name empty: the folder itself @throws the system's error */
export async function entryInfo(folder: Folder, name: string): Promise<EntryInfo> {
  const place = folder.at(name)
  const stats = await lstat(place, { bigint: true })
  return {
    path: folder.pathOf(name),
    type: kindOf(stats),
    size: Number(stats.size),
    modified: new Date(Number(stats.mtimeMs)).toISOString(),
    mode: (stats.mode & 0o7777n).toString(8),
    ...(stats.isSymbolicLink() ? { target: await readlink(place) } : {}),
  }
}

/** What an entry is; takes both what `lstat` and what `readdir` give. */
export function kindOf(entry: Pick<BigIntStats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): EntryInfo['type'] {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  return entry.isSymbolicLink() ? 'link' : 'other'
}
