import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { aipError } from '@orrery/aip'
import { z } from 'zod'
import { defineTool } from '../define-tool.js'
import { presentFile, writeAtomically } from './atomic-write.js'
import type { FilesState } from './files-state.js'
import { Folder } from './folder.js'
import { FILE_LIMITS } from './limits.js'
import { readBytes } from './read-file.js'
import { replaceText } from './replace-text.js'
import { encodingNamed, markedEncoding, type TextEncoding } from './text-encoding.js'
import { deviceError } from '../../errors.js'

const EDITED_ENCODINGS = 'auto: UTF-8, or UTF-16 with its mark; otherwise a name such as latin1, windows-1252, gbk or shift_jis'

/** `edit_file`: an exact replacement in a text. */
export const editFile = defineTool({
  name: 'edit_file',
  title: 'Edit a text file',
  description:
    'Replaces old_text by new_text in a text file. old_text must match exactly, blanks included, and be there exactly once, unless ' +
    'replace_all is set. Line ends and encoding stay those of the file. The file is replaced at once, never half written.',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
  input: z.object({
    path: z.string().describe('Absolute, or relative to the start folder of the device'),
    old_text: z.string().min(1).describe('Text to replace'),
    new_text: z.string().describe('What comes in its place; empty: nothing'),
    encoding: z.string().max(40).default('auto').describe(EDITED_ENCODINGS),
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
    const { encoding, text } = contentIn(bytes, args.encoding, args.path)
    const { text: changed, count } = replaceText(text, args.old_text, args.new_text)
    if (count === 0 || (count > 1 && !args.replace_all)) throw deviceError('EDIT_UNMATCHED', { path: args.path, count })
    const content = Buffer.concat([encoding.mark, encoding.encode(changed)])
    if (content.length > FILE_LIMITS.write) throw aipError('FILE_TOO_LARGE', { size: content.length, limit: FILE_LIMITS.write })
    const sha256 = await writeAtomically(folder, name, content, before, args.path)
    return { path: folder.pathOf(name), replacements: count, bytes: content.length, sha256 }
  },
})

/** The text of a file that can be written back as it was. @throws AipError `PATH_KIND` if it is not text in this encoding, `INVALID_INPUT` */
function contentIn(bytes: Buffer, wanted: string, path: string): { encoding: TextEncoding; text: string } {
  const encoding =
    (wanted === 'auto' ? markedEncoding(bytes) : null) ?? encodingNamed(wanted === 'auto' ? 'utf-8' : wanted, bytes)
  const text = encoding.decode(bytes)
  if (text === null) {
    const hint = wanted === 'auto' ? '; give its encoding, such as latin1' : ''
    throw aipError('PATH_KIND', { path, expected: `a text file (${encoding.name.toUpperCase()})${hint}` })
  }
  if (Buffer.concat([encoding.mark, encoding.encode(text)]).equals(bytes)) return { encoding, text }
  throw aipError('FILE_FAILED', { path, detail: `an edit would change more of it: it is not plain ${encoding.name}` })
}

async function contentOf(folder: Folder, name: string, shown: string): Promise<Buffer> {
  await using file = await folder.file(name, shown)
  return (await readBytes(file, 0, FILE_LIMITS.edited)).bytes
}
