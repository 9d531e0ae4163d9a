import { basename } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { piecesOf, sendContent } from '@orrery/aip/node'
import { z } from 'zod'
import { fileError } from '../../paths/file-error.js'
import { defineTool } from '../define-tool.js'
import type { FilesState } from './files-state.js'
import { PERMISSIONS } from './atomic-write.js'
import { Folder } from './folder.js'

/** `send_file`: sends the content of a file to the server, over a separate connection. */
export const sendFile = defineTool({
  name: 'send_file',
  title: 'Send a file to the server',
  description:
    'Sends a whole file, of any size, over a connection that the server waits for. It is what `orrery cp` and the HTTP API call; ' +
    'without a transfer that waits it fails. To read a file, use read_file.',
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  input: z.object({
    path: z.string().describe('Absolute, or relative to the start folder of the device'),
    transfer_id: z.uuid().describe('The transfer that waits at the server'),
  }),
  output: z.object({
    path: z.string(),
    bytes: z.number().describe('Bytes sent'),
    checksum: z.string().describe('MD5 of the content, in hexadecimal'),
  }),
  describeCall: ({ path }, { roots }) => ({ paths: [{ path: roots.absolute(path), access: 'read' }] }),
  run: async (args, { roots, transfers }: FilesState, signal) => {
    const real = await roots.target(args.path)
    await using folder = await Folder.above(real, roots, args.path)
    await using file = await folder.file(basename(real), args.path)
    const { size, mode, mtime } = await file.stat()
    await using connection = await transfers.dial(args.transfer_id, signal)
    const chunkBytes = LIMITS.transferChunk
    try {
      // A file that grows, such as a log, is sent as long as it was.
      const checksum = await sendContent(connection.aip, piecesOf(file, chunkBytes), {
        filename: basename(real),
        size,
        chunkBytes,
        mode: (mode & PERMISSIONS).toString(8),
        modified: mtime.toISOString(),
      })
      await connection.taken()
      return { path: real, bytes: size, checksum }
    } catch (error) {
      throw fileError(error, args.path)
    }
  },
})
