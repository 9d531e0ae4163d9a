import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { aipError } from '@orrery/aip'
import { z } from 'zod'
import { defineTool } from '../define-tool.js'
import { presentFile, writeAtomically } from './atomic-write.js'
import type { FilesState } from './files-state.js'
import { Folder } from './folder.js'
import { FILE_LIMITS } from './limits.js'
import { readBytes, textOf } from './read-file.js'
import { deviceError } from '../../errors.js'

/** `edit_file`: an exact replacement in a text. */
export const editFile = defineTool({
  name: 'edit_file',
  title: 'Edit a text file',
  description:
    'Replaces old_text by new_text in a text file. old_text must match exactly, blanks and line ends included, and be there exactly ' +
    'once, unless replace_all is set. The file is replaced at once, never half written.',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
  input: z.object({
    path: z.string().describe('Absolute, or relative to the start folder of the device'),
    old_text: z.string().min(1).describe('Text to replace'),
    new_text: z.string().describe('What comes in its place; empty: nothing'),
    replace_all: z.boolean().default(false).describe('Replace every place where it is'),
    expected_sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .optional()
      .describe('SHA-256 that the file must have before'),
  }),
  output: z.object({ path: z.string(), replacements: z.number(), bytes: z.number(), sha256: z.string() }),
  describeCall: ({ path }, { roots }) => ({ paths: [{ path: roots.absolute(path), access: 'change' }] }),
  run: async (args, { roots }: FilesState) => {
    const real = await roots.target(args.path)
    const name = basename(real)
    await using folder = await Folder.above(real, roots, args.path)
    const before = await presentFile(folder, name, args.path)
    if (before === null) throw aipError('FILE_NOT_FOUND', { path: args.path })
    const size = Number(before.size)
    if (size > FILE_LIMITS.edited) throw aipError('FILE_TOO_LARGE', { size, limit: FILE_LIMITS.edited })
    const bytes = await contentOf(folder, name, args.path)
    const actual = createHash('sha256').update(bytes).digest('hex')
    if (args.expected_sha256 !== undefined && actual !== args.expected_sha256.toLowerCase())
      throw aipError('FILE_CHANGED', { path: args.path, detail: `its sha256 is ${actual}` })
    const text = textOf(bytes)
    if (text === null) throw aipError('PATH_KIND', { path: args.path, expected: 'a text file (UTF-8)' })
    const parts = text.split(args.old_text)
    const count = parts.length - 1
    if (count === 0 || (count > 1 && !args.replace_all)) throw deviceError('EDIT_UNMATCHED', { path: args.path, count })
    const content = Buffer.from(parts.join(args.new_text))
    if (content.length > FILE_LIMITS.write) throw aipError('FILE_TOO_LARGE', { size: content.length, limit: FILE_LIMITS.write })
    const sha256 = await writeAtomically(folder, name, content, before, args.path)
    return { path: folder.pathOf(name), replacements: count, bytes: content.length, sha256 }
  },
})

async function contentOf(folder: Folder, name: string, shown: string): Promise<Buffer> {
  await using file = await folder.file(name, shown)
  return (await readBytes(file, 0, FILE_LIMITS.edited)).bytes
}
