import { basename } from 'node:path'
import { aipError } from '@orrery/aip'
import { z } from 'zod'
import { defineTool } from '../define-tool.js'
import { presentFile, writeAtomically, type Present } from './atomic-write.js'
import type { FilesState } from './files-state.js'
import { Folder } from './folder.js'
import { FILE_LIMITS } from './limits.js'
import { sha256Of } from './read-file.js'

/** `write_file`: a file as a whole. */
export const writeFile = defineTool({
  name: 'write_file',
  title: 'Write a file',
  description:
    'Writes a file as a whole, at once: it is new or entirely replaced, never half written. Missing folders are made. ' +
    'With expected_sha256 it is written only if its present content has this hash (read_file gives it); with only_new, only if ' +
    'there is no such file yet. To change a part of a text, edit_file is better.',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  input: z.object({
    path: z.string().describe('Absolute, or relative to the start folder of the device'),
    content: z.string().describe('The whole content'),
    encoding: z.enum(['utf-8', 'base64']).default('utf-8').describe('base64: content holds bytes'),
    expected_sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .optional()
      .describe('SHA-256 of the content that is to be replaced'),
    only_new: z.boolean().default(false).describe('Fail if the file exists'),
  }),
  output: z.object({
    path: z.string(),
    bytes: z.number().describe('Bytes written'),
    sha256: z.string(),
    created: z.boolean().describe('Whether the file is new'),
  }),
  describeCall: ({ path }, { roots }) => ({ paths: [{ path: roots.absolute(path), access: 'change' }] }),
  run: async (args, { roots }: FilesState, signal) => {
    const content = args.encoding === 'base64' ? bytesOf(args.content) : Buffer.from(args.content)
    if (content.length > FILE_LIMITS.write) throw aipError('FILE_TOO_LARGE', { size: content.length, limit: FILE_LIMITS.write })
    const real = await roots.target(args.path)
    const name = basename(real)
    await using folder = await Folder.above(real, roots, args.path, true)
    const before = await presentFile(folder, name, args.path)
    if (before !== null && args.only_new) throw aipError('FILE_EXISTS', { path: args.path })
    if (args.expected_sha256 !== undefined) await expectHash(folder, name, before, args.expected_sha256, args.path, signal)
    const sha256 = await writeAtomically(folder, name, content, before, args.path)
    return { path: folder.pathOf(name), bytes: content.length, sha256, created: before === null }
  },
})

/** Reads base64 strictly: Node skips what it does not know. @throws AipError `INVALID_INPUT` */
function bytesOf(text: string): Buffer {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw aipError('INVALID_INPUT', { detail: 'content is not base64' })
  return Buffer.from(text, 'base64')
}

/** Makes sure that a file has this hash. @throws AipError `FILE_CHANGED` with the hash that it has */
export async function expectHash(
  folder: Folder,
  name: string,
  present: Present,
  expected: string,
  shown: string,
  signal: AbortSignal,
): Promise<void> {
  if (present === null) throw aipError('FILE_CHANGED', { path: shown, detail: 'it does not exist' })
  await using file = await folder.file(name, shown)
  const actual = await sha256Of(file, signal)
  if (actual !== expected.toLowerCase()) throw aipError('FILE_CHANGED', { path: shown, detail: `its sha256 is ${actual}` })
}
