import { basename, dirname } from 'node:path'
import { LIMITS, aipError } from '@orrery/aip'
import { receiveContent, writeChunks } from '@orrery/aip/node'
import { z } from 'zod'
import { defineTool } from '../define-tool.js'
import { presentFile, replaceAtomically } from './atomic-write.js'
import type { FilesState } from './files-state.js'
import { Folder } from './folder.js'

/** `receive_file`: takes a file from the server, over a separate connection. */
export const receiveFile = defineTool({
  name: 'receive_file',
  title: 'Take a file from the server',
  description:
    'Takes a whole file, of any size, over a connection that the server waits for. It is what `orrery cp` and the HTTP API call; ' +
    'without a transfer that waits it fails. The file appears when it is whole; its folder must exist. To write a file, use write_file.',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
  input: z.object({
    path: z.string().describe('Absolute, or relative to the start folder of the device'),
    size: z.number().int().min(0).max(LIMITS.file).describe('Bytes that come'),
    overwrite: z.boolean().default(false).describe('Replace an existing file'),
    mode: z
      .string()
      .regex(/^[0-7]{1,3}$/)
      .optional()
      .describe('Permissions in octal, e.g. 750; default: those of the file that it replaces, or of a new file'),
    modified: z.iso.datetime().optional().describe('Time of the last change, ISO 8601, UTC; default: now'),
    transfer_id: z.uuid().describe('The transfer that waits at the server'),
  }),
  output: z.object({
    path: z.string(),
    bytes: z.number().describe('Bytes written'),
    checksum: z.string().describe('MD5 of the content, in hexadecimal'),
    created: z.boolean().describe('Whether the file is new'),
  }),
  describeCall: ({ path }, { roots }) => ({ paths: [{ path: roots.absolute(path), access: 'change' }] }),
  run: async (args, { roots, transfers }: FilesState, signal) => {
    const real = await roots.target(args.path)
    const name = basename(real)
    await using folder = await Folder.above(real, roots, dirname(args.path))
    const before = await presentFile(folder, name, args.path)
    if (before !== null && !args.overwrite) throw aipError('FILE_EXISTS', { path: args.path })
    await using connection = await transfers.dial(args.transfer_id, signal)
    const { size, chunks } = await receiveContent(connection.aip, args.size)
    if (size !== args.size) throw aipError('SIZE_MISMATCH', { expected: args.size, actual: size })
    const checksum = await replaceAtomically(
      folder,
      name,
      before,
      args.path,
      async (file) => {
        const written = await writeChunks(file, chunks)
        if (args.modified !== undefined) await file.utimes(new Date(args.modified), new Date(args.modified))
        return written
      },
      args.mode === undefined ? undefined : Number.parseInt(args.mode, 8),
    )
    return { path: folder.pathOf(name), bytes: size, checksum, created: before === null }
  },
})
